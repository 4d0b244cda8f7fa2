import { createHash } from "node:crypto";

/** Of a run whose timeline nobody asked for, the last lines are kept all the same. */
const LAST_LINES = 400;

/** Commits, driver calls, faults and answers, in order: as a hash that two runs of a seed agree on, and as lines for people. */
export class Trace {
  readonly #hash = createHash("sha256");
  readonly #nowMs: () => number;
  readonly #isWanted: boolean;
  #lines: string[] = [];

  constructor(nowMs: () => number, isWanted: boolean) {
    this.#nowMs = nowMs;
    this.#isWanted = isWanted;
  }

  /** `words` are made only when somebody wants to read them. */
  add(kind: string, text: string, words: () => string = () => text): void {
    this.#hash.update(`${this.#nowMs()} ${kind} ${text}\n`);
    if (this.#isWanted || kind === "fault" || kind === "answer") this.note(`${kind.padEnd(7)} ${words()}`);
  }

  note(text: string): void {
    this.#lines.push(`${stamp(this.#nowMs())}  ${text}`);
    if (!this.#isWanted && this.#lines.length > 2 * LAST_LINES) this.#lines = this.#lines.slice(-LAST_LINES);
  }

  get hash(): string {
    return this.#hash.copy().digest("hex");
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}

/** `1:02:03.456` of virtual time. */
export function stamp(ms: number): string {
  const whole = Math.floor(ms);
  const part = (value: number, width: number) => String(value).padStart(width, "0");
  const seconds = Math.floor(whole / 1000);
  return `${Math.floor(seconds / 3600)}:${part(Math.floor(seconds / 60) % 60, 2)}:${part(seconds % 60, 2)}.${part(whole % 1000, 3)}`;
}
