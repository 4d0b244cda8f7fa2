import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunRef } from "../driver.ts";
import type { ProcessContext } from "../keeper/keeper.ts";

/** Where one run has its files. */
export interface RunFolder {
  readonly path: string;
  /** Its working directory unless it names one. */
  readonly sandbox: string;
  readonly logs: string;
}

/** The runs' folders: `<dataDir>/<podUid>/<container>.<attempt>/{sandbox,logs,context.json}`. */
export class RunFolders {
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  of({ podUid, container, attempt }: RunRef): RunFolder {
    const path = join(this.#dataDir, segment(podUid), segment(`${container}.${attempt}`));
    return { path, sandbox: join(path, "sandbox"), logs: join(path, "logs") };
  }

  /** Parents can be passed through but not listed by the users whose processes run below. */
  async make(ref: RunRef): Promise<RunFolder> {
    const folder = this.of(ref);
    await mkdir(folder.sandbox, { recursive: true, mode: 0o711 });
    return folder;
  }

  /** What another command in the same context needs (exec, probes); it outlives styr as the process does. */
  async saveContext(ref: RunRef, context: ProcessContext): Promise<void> {
    const path = join(this.of(ref).path, "context.json");
    // The same run may be started twice at once.
    const draft = `${path}.${randomUUID()}`;
    await writeFile(draft, JSON.stringify(context), { mode: 0o600 });
    await rename(draft, path);
  }

  async context(ref: RunRef): Promise<ProcessContext | undefined> {
    const text = await readIfThere(join(this.of(ref).path, "context.json"));
    return text === undefined ? undefined : (JSON.parse(text) as ProcessContext);
  }

  /** Everything has been fetched: not to be done again for this run. */
  async markPrepared(ref: RunRef): Promise<void> {
    await writeFile(join(this.of(ref).path, "prepared"), "", { mode: 0o600 });
  }

  async isPrepared(ref: RunRef): Promise<boolean> {
    return (await readIfThere(join(this.of(ref).path, "prepared"))) !== undefined;
  }

  async remove(ref: RunRef): Promise<void> {
    await rm(this.of(ref).path, { recursive: true, force: true });
  }

  async removePod(podUid: string): Promise<void> {
    await rm(join(this.#dataDir, segment(podUid)), { recursive: true, force: true });
  }

  /** Uids of pods with a folder here, sorted. */
  async podUids(): Promise<readonly string[]> {
    await mkdir(this.#dataDir, { recursive: true, mode: 0o711 });
    return (await readdir(this.#dataDir)).sort();
  }
}

/** A file name for what users and dialects name; almost always the name itself. */
function segment(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,180}$/.test(name)) return name;
  return createHash("sha256").update(name).digest("hex");
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
