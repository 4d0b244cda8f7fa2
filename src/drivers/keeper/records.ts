import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessInfo, ProcessSpec } from "./keeper.ts";

/** What is written down of a process: enough for a keeper that did not start it. */
export interface ProcessRecord {
  readonly info: ProcessInfo;
  readonly logBytes: number;
  /** With pid and boot id the proof that a process found is the one recorded. 0 until it has started. */
  readonly startTicks: number;
  readonly bootId: string;
  /** What the cgroup had counted when it started. */
  readonly oomKillsBefore: number;
  /** Only for those to be started again; it holds the environment, which is nobody else's business. */
  readonly spec?: ProcessSpec;
}

/** One file per process, replaced as a whole. Not synced: after a power cut nothing that is recorded runs. */
export class Records {
  readonly #directory: string;

  constructor(stateDir: string) {
    this.#directory = join(stateDir, "processes");
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** Fails on one it cannot read rather than forget a process. */
  load(): readonly ProcessRecord[] {
    const names = readdirSync(this.#directory).sort();
    for (const name of names) if (name.endsWith(".tmp")) rmSync(join(this.#directory, name));
    return names
      .filter((name) => name.endsWith(".json"))
      .map((name) => JSON.parse(readFileSync(join(this.#directory, name), "utf8")) as ProcessRecord);
  }

  save(record: ProcessRecord): void {
    const path = this.#path(record.info.id);
    writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  delete(id: string): void {
    rmSync(this.#path(id), { force: true });
  }

  /** Ids may be longer than file names and may differ in case only. */
  #path(id: string): string {
    const readable = id.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 120);
    const unique = createHash("sha256").update(id).digest("hex").slice(0, 24);
    return join(this.#directory, `${readable}-${unique}.json`);
  }
}
