const MOST = 1_000;
const REMEMBERED_MS = 300_000;
/** An agent dials two links, again and again; those of a good one are never under way for long. */
const ENOUGH = 4;

/**
 * Addresses from which connections come and end before the handshake does, and none that does better: so do hosts that believe
 * another CA, as after a restore from a backup that is older than theirs. A hint, and no more.
 */
export class Strangers {
  readonly #byAddress = new Map<string, { readonly tries: number; readonly lastMs: number }>();

  came(address: string | undefined, nowMs: number): void {
    const from = plain(address);
    const tries = (this.has(from, nowMs, 1) ? (this.#byAddress.get(from)?.tries ?? 0) : 0) + 1;
    this.#byAddress.delete(from);
    this.#byAddress.set(from, { tries, lastMs: nowMs });
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size > MOST && oldest !== undefined) this.#byAddress.delete(oldest);
  }

  /** Its handshake is over. */
  stayed(address: string | undefined): void {
    this.#byAddress.delete(plain(address));
  }

  has(address: string, nowMs: number, least = ENOUGH): boolean {
    const seen = this.#byAddress.get(address);
    return seen !== undefined && seen.tries >= least && nowMs - seen.lastMs < REMEMBERED_MS;
  }
}

/** Of a socket that takes both families. */
function plain(address = ""): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
