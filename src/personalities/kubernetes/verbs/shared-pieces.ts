import type { Change } from "../../../store/transaction.ts";

interface Piece {
  readonly first: Change;
  readonly last: Change;
  readonly bytes: Uint8Array;
}

/**
 * Bytes that many watches send alike. Those that pick everything of a kind and keep up are woken by the same changes, so the first
 * writes them down for all. Only the newest of each kind is kept: whoever lags behind makes its own.
 */
export class SharedPieces {
  readonly #newest = new Map<string, Piece>();
  readonly #encoder = new TextEncoder();

  /** `changes`: one after another as they happened, all those of one kind. */
  bytes(changes: readonly Change[], write: () => string): Uint8Array | string {
    const [first, last] = [changes[0], changes.at(-1)];
    if (!first || !last) return write();
    const known = this.#newest.get(last.kind.name);
    if (known?.first === first && known.last === last) return known.bytes;
    const bytes = this.#encoder.encode(write());
    this.#newest.set(last.kind.name, { first, last, bytes });
    return bytes;
  }
}
