/** Packs a text beside the event loop. */
export type Pack = (text: string) => Promise<string>;

/** Shorter ones are not worth the waiting. */
const LEAST_CHARS = 4_096;

/** What one frame tells many nodes: its text made once, and packed once for those that can read that. */
export class Piece {
  readonly #keepsText: boolean;
  #text: string;
  #pack: Pack | undefined;
  #packed: string | undefined;
  #packing: Promise<void> | undefined;

  /** `keepsText`: also once it is packed, as there are those who read plain text only. */
  constructor(text: string, pack: Pack | undefined, keepsText = true) {
    this.#text = text;
    this.#keepsText = keepsText;
    this.#pack = text.length < LEAST_CHARS ? undefined : pack;
  }

  /** Entries and what is gone, as a frame's end has them (agent/frames/to-agent.ts). */
  get text(): string {
    return this.#text;
  }

  /** It is sent as it is, to all. */
  get isPlain(): boolean {
    return this.#pack === undefined;
  }

  get packed(): string | undefined {
    return this.#packed;
  }

  /** Resolves when `packed` is there, or it has turned out to be plain. */
  packing(): Promise<void> {
    this.#packing ??= this.#begin();
    return this.#packing;
  }

  async #begin(): Promise<void> {
    try {
      this.#packed = await this.#pack?.(this.#text);
      if (!this.#keepsText) this.#text = "";
    } catch {
      // Too little memory, for one: as it is it can still be sent.
      this.#pack = undefined;
    }
  }
}
