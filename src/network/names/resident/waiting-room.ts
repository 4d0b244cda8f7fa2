/** Questions that wait for others' answers, by who asked them. */
const PLACES = 1000;
const MOST_OF_ONE = 100;
/** Who holds much has a part of the places that are free, and not of all: the more have come, the less each may hold. */
const PART_OF_FREE = 8;
/** Beyond all that: every pod that a host may have (some 250) finds a few places, whatever the others hold. */
const FEW = 4;
export const MOST_PLACES = 2000;

export class WaitingRoom {
  readonly #held = new Map<string, number>();
  #taken = 0;

  /** Whether there is a place for this client. */
  enter(client: string): boolean {
    const held = this.#held.get(client) ?? 0;
    const share = Math.min(MOST_OF_ONE, Math.floor((PLACES - this.#taken) / PART_OF_FREE));
    if (held >= Math.max(FEW, share) || this.#taken >= MOST_PLACES) return false;
    this.#held.set(client, held + 1);
    this.#taken++;
    return true;
  }

  leave(client: string): void {
    const held = this.#held.get(client);
    if (held === undefined) return;
    this.#taken--;
    if (held > 1) this.#held.set(client, held - 1);
    else this.#held.delete(client);
  }
}
