/** Sums up the lines of a pull, one per layer and step, into a few for people. */
import { humanBytes } from "../../lib/quantity.ts";

export interface PullLine {
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export class PullProgress {
  readonly #name: string;
  readonly #layers = new Map<string, { current: number; total: number }>();
  #said = "";

  constructor(name: string) {
    this.#name = name;
  }

  /** Words worth showing now, or undefined: a step of a tenth, or a new status. */
  note({ status = "", id, progressDetail }: PullLine): string | undefined {
    const { current = 0, total = 0 } = progressDetail ?? {};
    if (id !== undefined && status === "Downloading" && total > 0) this.#layers.set(id, { current, total });
    else if (id !== undefined && status === "Download complete") this.#finish(id);
    else if (status.startsWith("Status: ") || status.startsWith("Digest: ")) return this.#say(status);
    return this.#layers.size === 0 ? this.#say(`Pulling ${this.#name}`) : this.#say(this.#downloaded());
  }

  #finish(id: string): void {
    const layer = this.#layers.get(id);
    if (layer) layer.current = layer.total;
  }

  #downloaded(): string {
    const layers = [...this.#layers.values()];
    const total = layers.reduce((sum, layer) => sum + layer.total, 0);
    const current = layers.reduce((sum, layer) => sum + layer.current, 0);
    const tenths = Math.floor((current * 10) / total);
    return `Pulling ${this.#name}: ${tenths * 10}% of ${humanBytes(total)}`;
  }

  #say(words: string): string | undefined {
    if (words === this.#said) return undefined;
    this.#said = words;
    return words;
  }
}
