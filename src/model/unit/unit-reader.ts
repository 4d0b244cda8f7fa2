/** Go's bufio.Reader with its default size: how much of a text one look ahead can see. */
const BUFFER_BYTES = 4096;
const NEWLINE = 0x0a;

/** A text's bytes behind a window that fills as bufio.Reader's does. */
export class UnitReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** End of the window: bytes before it are "buffered". */
  #filled = 0;
  #previous = 0;
  #line = 1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Of the next byte, from 1. */
  get line(): number {
    return this.#line;
  }

  /** At least `count` bytes are buffered, and none of the first `count` ends a line. */
  lacksNewline(count: number): boolean {
    if (this.#filled - this.#at < count) return false;
    const ahead = this.#bytes.subarray(this.#at, this.#at + count);
    return !ahead.includes(NEWLINE) && !ahead.includes(0x0d);
  }

  /** The next character, or undefined at the end. */
  readRune(): string | undefined {
    if (this.#at >= this.#bytes.length) return undefined;
    const length = runeLength(this.#bytes[this.#at] ?? 0);
    if (this.#filled - this.#at < length) this.#fill();
    this.#previous = this.#at;
    this.#at = Math.min(this.#at + length, this.#bytes.length);
    const rune = this.#bytes.toString("utf8", this.#previous, this.#at);
    if (rune === "\n") this.#line++;
    return rune;
  }

  unreadRune(): void {
    if (this.#bytes[this.#previous] === NEWLINE) this.#line--;
    this.#at = this.#previous;
  }

  /** Up to and with `delimiter`; `ended` when the text ended before it. */
  readUntil(delimiter: "\n" | "]"): { readonly text: string; readonly ended: boolean } {
    const from = this.#at;
    const found = this.#bytes.indexOf(delimiter, from);
    const to = found === -1 ? this.#bytes.length : found + 1;
    while (this.#filled < to) {
      // A window without the delimiter is taken whole once it is full; one that is not full is refilled from where it begins.
      if (this.#filled - this.#at >= BUFFER_BYTES) this.#at = this.#filled;
      this.#fill();
    }
    this.#at = to;
    const text = this.#bytes.toString("utf8", from, to);
    for (const character of text) if (character === "\n") this.#line++;
    return { text, ended: found === -1 };
  }

  #fill(): void {
    this.#filled = Math.min(this.#bytes.length, this.#at + BUFFER_BYTES);
  }
}

function runeLength(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
