import { constants, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { NetworkEntry, NetworkEntryKind } from "../../model/network.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import { goneLine, LAST_LINE, readCacheFile, wholeTexts } from "./network-cache-file.ts";

export interface NetworkCacheOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface NotedChange {
  readonly entries: readonly NetworkEntry[];
  readonly removed: readonly { readonly kind: NetworkEntryKind; readonly id: string }[];
}

/** What changed is added no more often; so old is what the disk has at most, unless everything is being written anew. */
const WRITE_MS = 5_000;
/** A large whole is written anew less often, so that no more than this goes to the disk for it. */
const MOST_WRITE_MS = 60_000;
const MOST_BYTES_PER_MS = 64;
/** What was added may be as much as the whole, or this. */
const LEAST_ADDED_BYTES = 1024 * 1024;

/**
 * What this node was told of the network last, on its disk: everything, written beside the old and then put in its place, and behind it what
 * changed since, added batch by batch. When that has become as much as the whole, the whole is written anew; so it is, again and again, after
 * a disk that could not take something. Until then the file of the new whole stands beside the old one, empty: what is there is behind.
 */
export class NetworkCache {
  readonly #options: NetworkCacheOptions;
  #timer: Timer | undefined;
  #latest: (() => Iterable<NetworkEntry>) | undefined;
  /** Lines to be added, by key. */
  #added = new Map<string, string>();
  #isWhole = false;
  #writing: Promise<void> = Promise.resolve();
  #problem = "";
  /** It is not known what is there now. */
  #isUnsure = false;
  #isBehind = false;
  /** Of the last whole, and of what was added to it since. */
  #bytes = 0;
  #addedBytes = 0;

  constructor(options: NetworkCacheOptions) {
    this.#options = options;
  }

  /** Why the disk does not have what this node knows; empty when it has, or is about to. */
  get problem(): string {
    return this.#problem;
  }

  /** The one who wrote what was loaded knew more than that, or it cannot be read. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Nothing when there is none, or none of which the whole is there. */
  async load(): Promise<readonly NetworkEntry[]> {
    this.#isBehind = await isThere(this.#newPath);
    try {
      return await readCacheFile(this.#path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return [];
      this.#isBehind = true;
      this.#options.log.warn("what was known of the network is not read", { why: message });
      return [];
    }
  }

  /** Everything may be different. `entries` are asked for when they are written. */
  changed(entries: () => Iterable<NetworkEntry>): void {
    this.#latest = entries;
    this.#isWhole = true;
    this.#wholeLater();
  }

  #wholeLater(): void {
    const pauseMs = Math.min(MOST_WRITE_MS, Math.max(WRITE_MS, this.#bytes / MOST_BYTES_PER_MS));
    this.#timer ??= this.#options.clock.setTimer(pauseMs, () => this.#writeSoon());
  }

  /** This is different; `entries` is everything, with it. */
  noted({ entries, removed }: NotedChange, all: () => Iterable<NetworkEntry>): void {
    this.#latest = all;
    if (this.#bytes === 0 || this.#isUnsure || this.#addedBytes > Math.max(LEAST_ADDED_BYTES, this.#bytes))
      this.changed(all);
    for (const entry of entries) this.#added.set(`${entry.kind} ${entry.id}`, JSON.stringify(entry));
    for (const id of removed) this.#added.set(`${id.kind} ${id.id}`, goneLine(id));
    if (this.#added.size > 0) this.#timer ??= this.#options.clock.setTimer(WRITE_MS, () => this.#writeSoon());
  }

  /** Writes what has not been written yet. */
  async stop(): Promise<void> {
    if (this.#timer !== undefined) this.#writeSoon();
    await this.#writing;
    // What could not be written is not tried again: the mark says so to whoever begins next.
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async remove(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    for (const path of [this.#path, this.#newPath]) await rm(path, { force: true });
  }

  get #path(): string {
    return join(this.#options.folder, "network.jsonl");
  }

  get #newPath(): string {
    return `${this.#path}.new`;
  }

  #writeSoon(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
  }

  /** What changes while the whole is written may be in it or not: it is added behind it in any case. */
  async #write(): Promise<void> {
    const [lines, entries] = [[...this.#added.values()], this.#isWhole ? this.#latest : undefined];
    this.#added = new Map();
    this.#isWhole = false;
    try {
      if (entries !== undefined) await this.#writeWhole(entries());
      else if (lines.length > 0) await this.#add(`${[...lines, LAST_LINE].join("\n")}\n`);
      if (this.#problem !== "") this.#options.log.info("what is known of the network is on the disk again");
      this.#problem = "";
    } catch (error) {
      await this.#failed(error as Error);
    }
  }

  async #failed({ message }: Error): Promise<void> {
    if (message !== this.#problem)
      this.#options.log.warn("what is known of the network is not written; it is tried again", { why: message });
    this.#problem = message;
    this.#isUnsure = true;
    this.#isWhole = true;
    this.#wholeLater();
    await this.#markBehind().catch((error: Error) => {
      this.#options.log.debug("the disk does not take a mark that it is behind", { why: error.message });
    });
  }

  /** Empty: it takes none of the room that is wanting. */
  async #markBehind(): Promise<void> {
    const file = await open(this.#newPath, "w", 0o600);
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #writeWhole(entries: Iterable<NetworkEntry>): Promise<void> {
    const { folder, clock } = this.#options;
    const path = this.#newPath;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(path, "w", 0o600);
    let bytes = 0;
    try {
      for (const text of wholeTexts(entries)) {
        bytes += (await file.write(text)).bytesWritten;
        await clock.sleep(0);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(path, this.#path);
    [this.#bytes, this.#addedBytes, this.#isUnsure] = [bytes, 0, false];
  }

  async #add(text: string): Promise<void> {
    // Not made where it is gone: it would be one without a whole.
    const file = await open(this.#path, constants.O_WRONLY | constants.O_APPEND);
    try {
      this.#addedBytes += (await file.write(text)).bytesWritten;
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    // What cannot be asked is not known to be well.
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
