/** What the agent and its server of names say to each other: lines of JSON on a unix socket. */
import type { NameCounts } from "./resident/counters.ts";
import type { NamedEntry } from "./zones/zones.ts";

export type FeedCall =
  /** Everything, in place of what was said before; then it begins to answer. */
  | {
      readonly call: "all";
      readonly entries: readonly NamedEntry[];
      readonly lost: readonly string[];
      /** Another server of ours answers on the same address, until this one does. */
      readonly isBeside: boolean;
    }
  | {
      readonly call: "change";
      readonly entries: readonly NamedEntry[];
      readonly removed: readonly { readonly kind: NamedEntry["kind"]; readonly id: string }[];
      readonly lost: readonly string[];
    }
  | { readonly call: "report" }
  /** Answers what it was asked, and ends. */
  | { readonly call: "end" };

export type FeedRequest = FeedCall & { readonly seq: number };

export interface FeedReport {
  readonly pid: number;
  /** It listens. */
  readonly isOpen: boolean;
  /** Its address is not there yet. */
  readonly isWaiting: boolean;
  /** It has heard what there is to answer. */
  readonly isFed: boolean;
  /** Why it does not listen, or passes no names on. */
  readonly problem?: string;
  readonly counts: NameCounts;
  readonly names: number;
  readonly memoryBytes: number;
}

export interface FeedAnswer {
  readonly seq: number;
  readonly report: FeedReport;
}

/** The longest line: a snapshot of some hundred thousand endpoints. */
const LONGEST = 256 * 1024 * 1024;

export class LineSplitter {
  #parts: string[] = [];
  #size = 0;

  /** Throws on what is longer than anything we say. */
  split(text: string): readonly string[] {
    const lines = text.split("\n");
    const last = lines.pop() ?? "";
    if (lines.length > 0) {
      lines[0] = [...this.#parts, lines[0] ?? ""].join("");
      this.#parts = [];
      this.#size = 0;
    }
    this.#parts.push(last);
    this.#size += last.length;
    if (this.#size > LONGEST) throw new Error("a line without an end");
    return lines.filter((line) => line !== "");
  }
}
