import { chmod, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LeaseTerms } from "../model/heartbeat.ts";
import type { Pod, PodStatus } from "../model/pod.ts";
import type { Log } from "../seams/log.ts";
import { isSafeName } from "./safe-name.ts";
import type { ContainerSeen, Outcome, Stage } from "./seen.ts";
import type { Values } from "./values.ts";

/** What an agent must not forget about one pod. Times are wall time, because the monotonic clock starts anew. */
export interface PodRecord {
  readonly version: 1;
  /** The pod as last assigned; its status is what was last reported. */
  readonly pod: Pod;
  readonly status?: PodStatus;
  /** The boot in which `stage` was reached; after another boot, what ran is gone. */
  readonly bootId: string;
  readonly stage: Stage;
  readonly outcome?: Outcome;
  readonly admitted: boolean;
  readonly address?: string;
  /** Deleted, or taken from this node. */
  readonly leaving?: {
    readonly graceMs: number;
    readonly report: boolean;
    /** When the grace ends: a restart of the agent does not begin it anew. */
    readonly byWallMs?: number;
  };
  readonly startedWallMs: number;
  readonly containers: Readonly<Record<string, ContainerRecord>>;
  /** Contents of secrets and config maps, so that a restart needs nobody. The reason why records are for root alone. */
  readonly values?: Values;
  /** Of a pod of which there may be one only: the terms under which it was let run. */
  readonly leaseTerms?: LeaseTerms;
}

export type ContainerRecord = Pick<
  ContainerSeen,
  | "attempt"
  | "crashes"
  | "startedImage"
  | "preparedImage"
  | "postStarted"
  | "kill"
  | "started"
  | "ready"
  | "health"
  | "wasStarted"
  | "fences"
> & {
  readonly retryAtWallMs: number;
  /** Its driver was asked and had not answered: it may have been started, or only been waiting its turn. */
  readonly starting?: boolean;
};

/** The agent's own memory of what it was asked for. */
export interface LocalRecord {
  load(): Promise<readonly PodRecord[]>;
  /** Resolves when it is on disk. */
  save(record: PodRecord): Promise<void>;
  remove(podUid: string): Promise<void>;
}

/** For tests and the simulator: outlives the agent object, not the process. */
export class MemoryRecord implements LocalRecord {
  readonly #records = new Map<string, string>();

  load(): Promise<readonly PodRecord[]> {
    const texts = [...this.#records].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
    return Promise.resolve(texts.map((text) => JSON.parse(text) as PodRecord));
  }

  save(record: PodRecord): Promise<void> {
    this.#records.set(record.pod.metadata.uid, JSON.stringify(record));
    return Promise.resolve();
  }

  remove(podUid: string): Promise<void> {
    this.#records.delete(podUid);
    return Promise.resolve();
  }
}

const SUFFIX = ".json";

/** One file per pod, written beside and renamed, both synced. A file that cannot be read is named in the log and left to be learned again. */
export class FileRecord implements LocalRecord {
  readonly #directory: string;
  readonly #log: Log;
  /** Writes of one pod go one after another. */
  readonly #queues = new Map<string, Promise<void>>();

  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  async load(): Promise<readonly PodRecord[]> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    // A folder that was there keeps its mode otherwise. Contents of secrets are in here.
    await chmod(this.#directory, 0o700);
    const records: PodRecord[] = [];
    for (const name of (await readdir(this.#directory)).toSorted()) {
      if (!name.endsWith(SUFFIX)) {
        await rm(join(this.#directory, name), { force: true });
        continue;
      }
      const record = parseRecord(await readFile(join(this.#directory, name), "utf8"), name.slice(0, -SUFFIX.length));
      if (typeof record === "string") {
        this.#log.error("a pod's local record cannot be read; it is ignored until the control plane says what it was", {
          file: join(this.#directory, name),
          why: record,
        });
      } else records.push(record);
    }
    return records;
  }

  save(record: PodRecord): Promise<void> {
    const uid = record.pod.metadata.uid;
    return this.#inTurn(uid, () => this.#write(uid, JSON.stringify(record)));
  }

  remove(podUid: string): Promise<void> {
    return this.#inTurn(podUid, async () => {
      await rm(this.#fileOf(podUid), { force: true });
      await this.#syncDirectory();
    });
  }

  #inTurn(uid: string, work: () => Promise<void>): Promise<void> {
    const before = this.#queues.get(uid) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#queues.set(uid, mine);
    const forget = () => {
      if (this.#queues.get(uid) === mine) this.#queues.delete(uid);
    };
    mine.then(forget, forget);
    return mine;
  }

  async #write(uid: string, text: string): Promise<void> {
    const file = this.#fileOf(uid);
    const beside = `${file}.new`;
    const handle = await open(beside, "w", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
    await this.#syncDirectory();
  }

  async #syncDirectory(): Promise<void> {
    const handle = await open(this.#directory, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  #fileOf(podUid: string): string {
    if (!isSafeName(podUid)) throw new Error(`"${podUid}" is not a uid`);
    return join(this.#directory, `${podUid}${SUFFIX}`);
  }
}

/** The record, or what is wrong with it. */
function parseRecord(text: string, uid: string): PodRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `not JSON (${String(error)})`;
  }
  const record = value as Partial<PodRecord> | null;
  if (record === null || typeof record !== "object") return "not an object";
  if (record.version !== 1) return `of version ${String(record.version)}`;
  if (record.pod?.metadata?.uid !== uid) return "not of the pod it is named after";
  if (!Array.isArray(record.pod.spec?.containers) || !record.containers || !record.stage) return "incomplete";
  return record as PodRecord;
}
