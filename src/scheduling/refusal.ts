/** What can speak against a node. The names are part of what `styr why` prints. */
export type FilterName =
  | "ready"
  | "cordon"
  | "driver"
  | "pod network"
  | "published ports"
  | "taint"
  | "labels"
  | "machine"
  | "resident"
  | "cpu"
  | "memory"
  | "disk"
  | "resource"
  | "pods"
  | "port"
  | "dynamic ports"
  | "spread"
  | "groups"
  | "at most"
  | "same value"
  | "together"
  | "apart";

/** Why a pod cannot be on a node. The sentence is made when somebody reads it: most refusals are only counted. */
export class Refusal {
  readonly filter: FilterName;
  readonly #words: () => string;

  constructor(filter: FilterName, words: () => string) {
    this.filter = filter;
    this.#words = words;
  }

  get message(): string {
    return this.#words();
  }
}
