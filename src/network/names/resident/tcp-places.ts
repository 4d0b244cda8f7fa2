/** Who has a connection to the server of names, when there is room for so many at once. Pure. */

/** In all, and for one client. */
const MOST = 512;
const MOST_OF_ONE = 32;
/** Without a whole question for so long, a connection is given up, whatever bytes have come. */
export const IDLE_MS = 10_000;

interface Place {
  readonly source: string;
  askedAtMs: number;
}

export class TcpPlaces<Connection> {
  readonly #places = new Map<Connection, Place>();
  readonly #ofSource = new Map<string, number>();

  get all(): Iterable<Connection> {
    return this.#places.keys();
  }

  /**
   * False: no. While all places are taken, a client that has fewer than others gets the one that was longest idle of the one that has most:
   * clients that hold theirs keep nobody else out.
   */
  enter(connection: Connection, source: string, nowMs: number): false | { readonly inPlaceOf?: Connection } {
    const own = this.#ofSource.get(source) ?? 0;
    if (own >= MOST_OF_ONE) return false;
    const inPlaceOf = this.#places.size < MOST ? undefined : this.#toGiveUp(own);
    if (this.#places.size >= MOST && inPlaceOf === undefined) return false;
    if (inPlaceOf !== undefined) this.leave(inPlaceOf);
    this.#places.set(connection, { source, askedAtMs: nowMs });
    this.#ofSource.set(source, own + 1);
    return inPlaceOf === undefined ? {} : { inPlaceOf };
  }

  asked(connection: Connection, nowMs: number): void {
    const place = this.#places.get(connection);
    if (place) place.askedAtMs = nowMs;
  }

  isIdle(connection: Connection, nowMs: number): boolean {
    const place = this.#places.get(connection);
    return place === undefined || nowMs - place.askedAtMs >= IDLE_MS;
  }

  leave(connection: Connection): void {
    const place = this.#places.get(connection);
    if (!place) return;
    this.#places.delete(connection);
    const left = (this.#ofSource.get(place.source) ?? 1) - 1;
    if (left > 0) this.#ofSource.set(place.source, left);
    else this.#ofSource.delete(place.source);
  }

  /** Of the client that has most of all; undefined: none has more than this one would have. */
  #toGiveUp(own: number): Connection | undefined {
    const most = Math.max(...this.#ofSource.values());
    if (most <= own + 1) return undefined;
    let found: readonly [Connection, Place] | undefined;
    for (const each of this.#places) {
      const [, { source, askedAtMs }] = each;
      if (this.#ofSource.get(source) === most && askedAtMs < (found?.[1].askedAtMs ?? Number.POSITIVE_INFINITY))
        found = each;
    }
    return found?.[0];
  }
}
