import { MemoryJournal } from "../../store/journals/memory.ts";

/** A disk that can be made to stand still. */
export class SlowJournal extends MemoryJournal {
  #gate = Promise.withResolvers<void>();

  constructor() {
    super();
    this.#gate.resolve();
  }

  hold(): void {
    this.#gate = Promise.withResolvers<void>();
  }

  go(): void {
    this.#gate.resolve();
  }

  override async append(...entries: Parameters<MemoryJournal["append"]>): Promise<void> {
    await this.#gate.promise;
    await super.append(...entries);
  }
}
