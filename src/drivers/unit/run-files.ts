import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ContainerRun, DriverError, type RunRef } from "../driver.ts";
import type { ServiceAction } from "./service-events.ts";
import type { ServiceState } from "./service-state.ts";

/** What a run is: written once, before anything is started. */
export interface RunRecord {
  readonly run: ContainerRun;
  /** Processes of another boot are gone. */
  readonly bootId: string;
}

/** Where it stands: written after every move, before the actions of that move. */
export interface StateRecord {
  readonly state: ServiceState;
  /** Not known to be done. All of them can be done twice: process ids are unique, signals go to processes that are to end anyway. */
  readonly pending: readonly ServiceAction[];
  /** How long stderr.log was when a process began, so that what it said can be told from what was said before. */
  readonly marks: Readonly<Record<string, number>>;
}

const RUN_FILE = "run.json";
const STATE_FILE = "state.json";

/** One folder per run below `root`: `<podUid>/<container>/<attempt>`, with its record, its state and its logs. */
export class RunFiles {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  logDir(ref: RunRef): string {
    return join(this.#folder(ref), "logs");
  }

  async saveRun(ref: RunRef, record: RunRecord): Promise<void> {
    await mkdir(this.logDir(ref), { recursive: true, mode: 0o700 });
    await replaceFile(join(this.#folder(ref), RUN_FILE), JSON.stringify(record), true);
  }

  /**
   * Not flushed to the disk: it has to outlive this program, not the machine, after whose fall nothing of it is true. On a full disk
   * the older state stays: from there every move can be made twice, because the keeper knows each process by its id.
   */
  async saveState(ref: RunRef, record: StateRecord): Promise<void> {
    try {
      await replaceFile(join(this.#folder(ref), STATE_FILE), JSON.stringify(record), false);
    } catch (error) {
      if (!["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }

  async loadAll(): Promise<readonly { readonly record: RunRecord; readonly state: StateRecord | undefined }[]> {
    const found: { record: RunRecord; state: StateRecord | undefined }[] = [];
    for (const podUid of await this.pods())
      for (const container of await names(join(this.#root, podUid)))
        for (const attempt of await names(join(this.#root, podUid, container))) {
          const folder = join(this.#root, podUid, container, attempt);
          const record = await readJson<RunRecord>(join(folder, RUN_FILE));
          // A run whose record was not finished has started nothing.
          if (record) found.push({ record, state: await readJson<StateRecord>(join(folder, STATE_FILE)) });
        }
    return found;
  }

  async remove(ref: RunRef): Promise<void> {
    await rm(this.#folder(ref), { recursive: true, force: true });
  }

  async removePod(podUid: string): Promise<void> {
    await rm(join(this.#root, component(podUid)), { recursive: true, force: true });
  }

  async pods(): Promise<readonly string[]> {
    return names(this.#root);
  }

  #folder({ podUid, container, attempt }: RunRef): string {
    return join(this.#root, component(podUid), component(container), String(attempt));
  }
}

/** A name from outside becomes one component of a path, or nothing. */
function component(name: string): string {
  if (/^[A-Za-z0-9._@:-]{1,250}$/.test(name) && name !== "." && name !== "..") return name;
  throw new DriverError(`"${name}" cannot name a folder`, { temporary: false, reason: "CreateContainerError" });
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch (error) {
    // Cut short by a fall of the machine: as good as absent, see saveState.
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function replaceFile(file: string, text: string, flushes: boolean): Promise<void> {
  const draft = `${file}.${randomUUID().slice(0, 8)}`;
  try {
    const handle = await open(draft, "w", 0o600);
    try {
      await handle.writeFile(text);
      if (flushes) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
