import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { NetworkEntry } from "../../model/network.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";

export interface NetworkCacheOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The first line says what follows: of another form than this nothing is taken. */
const HEADER = '{"styrmann":"network","form":1}';
const FOOTER = '{"end":true}';
/** It is written no more often; a large one, which is written whole for one change, less: so that no more than this goes to the disk for it. */
const WRITE_MS = 5_000;
const MOST_WRITE_MS = 60_000;
const MOST_BYTES_PER_MS = 64;
/** Entries between two turns of the event loop. */
const SLICE = 200;

/** What this node was told of the network last, on its disk: one entry per line, written whole beside the old one and then put in its place. */
export class NetworkCache {
  readonly #options: NetworkCacheOptions;
  #timer: Timer | undefined;
  #latest: (() => Iterable<NetworkEntry>) | undefined;
  #writing: Promise<void> = Promise.resolve();
  #problem = "";
  /** Of the last time. */
  #bytes = 0;

  constructor(options: NetworkCacheOptions) {
    this.#options = options;
  }

  /** Nothing when there is none, or none that is whole. */
  async load(): Promise<readonly NetworkEntry[]> {
    try {
      return await readEntries(this.#path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT") this.#options.log.warn("what was known of the network is not read", { why: message });
      return [];
    }
  }

  /** `entries` are asked for when they are written. */
  changed(entries: () => Iterable<NetworkEntry>): void {
    this.#latest = entries;
    const pauseMs = Math.min(MOST_WRITE_MS, Math.max(WRITE_MS, this.#bytes / MOST_BYTES_PER_MS));
    this.#timer ??= this.#options.clock.setTimer(pauseMs, () => this.#writeSoon());
  }

  /** Writes what has not been written yet. */
  async stop(): Promise<void> {
    if (this.#timer !== undefined) this.#writeSoon();
    await this.#writing;
  }

  async remove(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    await rm(this.#path, { force: true });
  }

  get #path(): string {
    return join(this.#options.folder, "network.jsonl");
  }

  #writeSoon(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const entries = this.#latest;
    if (entries === undefined) return;
    this.#writing = this.#writing.then(() => this.#write(entries()));
  }

  async #write(entries: Iterable<NetworkEntry>): Promise<void> {
    const { folder, clock, log } = this.#options;
    const path = `${this.#path}.new`;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await open(path, "w", 0o600);
      let bytes = 0;
      try {
        for (const text of textsOf(entries)) {
          bytes += (await file.write(text)).bytesWritten;
          await clock.sleep(0);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(path, this.#path);
      this.#bytes = bytes;
      this.#problem = "";
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) log.warn("what is known of the network is not written", { why: message });
      this.#problem = message;
    }
  }
}

function* textsOf(entries: Iterable<NetworkEntry>): Generator<string> {
  let lines = [HEADER];
  for (const entry of entries) {
    lines.push(JSON.stringify(entry));
    if (lines.length < SLICE) continue;
    yield `${lines.join("\n")}\n`;
    lines = [];
  }
  yield `${[...lines, FOOTER].join("\n")}\n`;
}

async function readEntries(path: string): Promise<readonly NetworkEntry[]> {
  const entries: NetworkEntry[] = [];
  let isFirst = true;
  let isWhole = false;
  for await (const line of createInterface({ input: createReadStream(path, "utf8") })) {
    if (isFirst && line !== HEADER) throw new Error("it is of another form");
    if (!isFirst && line === FOOTER) isWhole = true;
    else if (!isFirst) entries.push(JSON.parse(line) as NetworkEntry);
    isFirst = false;
  }
  if (!isWhole) throw new Error("its end is missing");
  return entries;
}
