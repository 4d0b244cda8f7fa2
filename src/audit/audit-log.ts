/**
 * Who did what, on the disk of the server that did it. Written in batches beside the requests, which never wait for it:
 * what no disk takes is counted, said in the log, and said again in the first line that can be written.
 */
import type { Served } from "../http/served.ts";
import type { BucketRules } from "../lib/token-bucket.ts";
import type { AuditEntry } from "../model/user-reports.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import { auditEntryOf, isAudited } from "./audit-entry.ts";
import { type AuditBounds, AuditFiles } from "./audit-files.ts";
import { AuditFollowers } from "./audit-followers.ts";
import { Restraint } from "./restraint.ts";

export const USUAL_AUDIT_BOUNDS: AuditBounds = { files: 10, fileBytes: 10 * 1024 * 1024 };

/** After the first line of a batch. */
const GATHER_MS = 50;
const MOST_WAITING = 20_000;
/** What is refused to one address: whoever knocks all night must not push out what was done. */
const REFUSALS: BucketRules = { burst: 20, perSecond: 1 };
/** Whoever reads the same again and again: what he has seen is written down, and he must not push out what others did. */
const READINGS: BucketRules = { burst: 5, perSecond: 0.1 };

export interface AuditLogOptions {
  readonly dir: string;
  /** Name of the host. */
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #files: AuditFiles;
  readonly #followers = new AuditFollowers();
  readonly #refusals = new Restraint(REFUSALS);
  readonly #readings = new Restraint(READINGS);
  #bounds: () => AuditBounds = () => USUAL_AUDIT_BOUNDS;
  #waiting: string[] = [];
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #lost = 0;
  #lostInAll = 0;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#files = new AuditFiles(options.dir);
  }

  /** How much is kept; asked anew before each batch. */
  boundedBy(bounds: () => AuditBounds): void {
    this.#bounds = bounds;
  }

  /** For metrics: lines that could not be written since the start. */
  get lost(): number {
    return this.#lostInAll;
  }

  /** `revision`: the store's, after it. */
  served(served: Served, revision: number | undefined): void {
    if (!isAudited(served)) return;
    const { server, clock } = this.#options;
    const leftOut = this.#restrained(served);
    if (leftOut === undefined) return;
    const time = new Date(clock.now()).toISOString();
    const entry = auditEntryOf(served, { time, server, revision: served.status < 400 ? revision : undefined });
    this.#add(leftOut === 0 ? entry : { ...entry, leftOut });
  }

  /** The newest first, with all that has been served by now. Lines that cannot be read are left out. */
  async *entries(): AsyncGenerator<AuditEntry, void, undefined> {
    await this.flush();
    for await (const line of this.#files.backwards()) {
      const entry = parse(line);
      if (entry) yield entry;
    }
  }

  /** From now on, until `signal` aborts. */
  follow(signal: AbortSignal): AsyncGenerator<AuditEntry, void, undefined> {
    return this.#followers.follow(signal);
  }

  /** Resolves when what has been served by now is on disk, or lost. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#files.close();
  }

  /** How many like it were left out before it; undefined: it is left out itself. */
  #restrained(served: Served): number | undefined {
    const nowMs = this.#options.clock.monotonic();
    if (isKnock(served)) return this.#refusals.take(served.from, nowMs);
    return isReading(served) ? this.#readings.take(`${served.actor} ${served.path}`, nowMs) : 0;
  }

  #add(entry: AuditEntry): void {
    this.#followers.tell(entry);
    if (this.#waiting.length >= MOST_WAITING) {
      this.#lose(1);
      return;
    }
    this.#waiting.push(JSON.stringify(entry));
    this.#timer ??= this.#options.clock.setTimer(GATHER_MS, () => void this.flush());
  }

  async #write(): Promise<void> {
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    const before = this.#lost;
    const all = before === 0 ? lines : [JSON.stringify(this.#lossEntry(before)), ...lines];
    try {
      await this.#files.append(`${all.join("\n")}\n`, this.#bounds());
      this.#lost -= before;
      if (before > 0) this.#options.log.info("the audit log can be written again", { lost: before });
    } catch (error) {
      this.#lose(lines.length, error as Error);
      await this.#files.close().catch((reason: Error) => this.#say(reason));
    }
  }

  #lose(count: number, error?: Error): void {
    if (this.#lost === 0 && error) this.#say(error);
    this.#lost += count;
    this.#lostInAll += count;
  }

  #say(error: Error): void {
    this.#options.log.error("the audit log cannot be written; requests go on", { error: error.message });
  }

  #lossEntry(leftOut: number): AuditEntry {
    const { clock, server } = this.#options;
    const what = { api: "styr", verb: "write", resource: "audit", method: "", path: "", status: 507 } as const;
    return {
      ...{ time: new Date(clock.now()).toISOString(), actor: "", roles: [], from: "", server },
      ...what,
      ...{ result: "failed", reason: "NotWritten", leftOut },
    };
  }
}

/** What changed and told nothing, and costs whoever asks nothing: he could fill the log with it. */
function isKnock({ status, who, method }: Served): boolean {
  if (status === 401 || status === 403 || status === 429) return true;
  return status >= 400 && ((who?.name ?? "") === "" || method === "GET" || method === "HEAD");
}

function isReading({ access, method }: Served): boolean {
  return access.verb !== "exec" && (method === "GET" || method === "HEAD");
}

/** A line that a crash or a full disk cut off is none. */
function parse(line: string): AuditEntry | undefined {
  try {
    return JSON.parse(line) as AuditEntry;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
