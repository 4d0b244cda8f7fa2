import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../seams/log.ts";

export interface LostRecordOptions {
  readonly folder: string;
  readonly log: Log;
}

/**
 * Which nodes this one does not reach, on its disk: an agent that begins while nobody leads would else believe in all that it was told last, and
 * bring back into the rules what its predecessor had taken out of them. Whoever is in it has to answer first.
 */
export class LostRecord {
  readonly #options: LostRecordOptions;
  /** As it is on the disk, or is about to be; undefined: not looked at, or not known. */
  #text: string | undefined;
  #isRead = false;
  #writing: Promise<void> = Promise.resolve();
  #problem = "";

  constructor(options: LostRecordOptions) {
    this.#options = options;
  }

  /** Nobody where it is not there, or cannot be read. */
  async load(): Promise<readonly string[]> {
    try {
      const text = await readFile(this.#path, "utf8");
      const names = namesIn(text);
      this.#text = text;
      return names;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") this.#text = textOf([]);
      else this.#options.log.warn("which nodes were lost last is not read", { why: message });
      return [];
    } finally {
      this.#isRead = true;
    }
  }

  /** At once: an agent may be killed the moment after. Nothing is written that is there already, nor before it was read. */
  keep(nodes: Iterable<string>): void {
    const text = textOf(nodes);
    if (!this.#isRead || text === this.#text) return;
    this.#text = text;
    this.#writing = this.#writing.then(() => this.#write(text));
  }

  async stop(): Promise<void> {
    await this.#writing;
  }

  async remove(): Promise<void> {
    await this.#writing;
    for (const path of [this.#path, this.#newPath]) await rm(path, { force: true });
  }

  get #path(): string {
    return join(this.#options.folder, "lost-nodes.json");
  }

  get #newPath(): string {
    return `${this.#path}.new`;
  }

  async #write(text: string): Promise<void> {
    // There is a newer one behind it.
    if (text !== this.#text) return;
    try {
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
      await writeFile(this.#newPath, text, { mode: 0o600 });
      await rename(this.#newPath, this.#path);
      this.#problem = "";
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) this.#options.log.warn("which nodes are lost is not written", { why: message });
      this.#problem = message;
      // With the next one that is lost or found again.
      if (this.#text === text) this.#text = undefined;
    }
  }
}

function textOf(nodes: Iterable<string>): string {
  return `${JSON.stringify({ lost: [...nodes].sort() })}\n`;
}

/** Throws an Error where it is of another form, or torn. */
function namesIn(text: string): readonly string[] {
  const { lost } = JSON.parse(text) as { readonly lost?: unknown };
  if (!Array.isArray(lost) || lost.some((name) => typeof name !== "string")) throw new Error("it is of another form");
  return lost as readonly string[];
}
