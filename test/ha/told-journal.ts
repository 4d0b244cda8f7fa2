import type { ServerIdentity } from "../../src/store/journal.ts";
import { MemorySharedJournal } from "../../src/store/journals/shared-memory.ts";

/** A journal of which the test says who leads. */
export class ToldJournal extends MemorySharedJournal {
  known: ServerIdentity | undefined;
  #tell = () => {};

  override get leader(): ServerIdentity | undefined {
    return this.known;
  }

  override onLeader(listener: (leader: ServerIdentity | undefined) => void): void {
    this.#tell = () => listener(this.known);
  }

  lead(leader: ServerIdentity | undefined): void {
    this.known = leader;
    this.#tell();
  }
}
