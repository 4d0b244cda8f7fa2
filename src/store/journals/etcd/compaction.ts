/** The leader lets etcd forget how our rows were: nobody reads that, and it would fill its quota. */
import type { Clock } from "../../../seams/clock.ts";
import type { Log } from "../../../seams/log.ts";
import type { EtcdClient } from "./client.ts";
import { textOf } from "./keys.ts";
import { inWords } from "./trouble.ts";

export interface CompactionOptions {
  readonly client: Pick<EtcdClient, "range" | "compact">;
  readonly clock: Clock;
  readonly log: Log;
  /** Where an operator says "off": history is shared by all users of an etcd, and another may need it. */
  readonly key: string;
  /** What is older than this is forgotten by the next round: followers that were away for longer load anew. */
  readonly everyMs: number;
  /** A round is over earlier when so much was written: at full speed five minutes are more than etcd's quota. */
  readonly everyBytes: number;
  /** Bytes that this leader has written so far. */
  readonly written: () => number;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 10_000;
const LOOK_MS = 2_000;

/** Until `signal` aborts. Each round forgets what came before the round before it. */
export async function compactRegularly(options: CompactionOptions): Promise<void> {
  const { client, log, signal } = options;
  let before: number | undefined;
  while (!signal.aborted) {
    const now = await look(options);
    if (before !== undefined && now?.isWanted) await compact(client, before, log);
    before = now?.revision ?? before;
    await roundEnd(options);
  }
}

async function roundEnd({ clock, everyMs, everyBytes, written, signal }: CompactionOptions): Promise<void> {
  const [fromMs, fromBytes] = [clock.monotonic(), written()];
  const isOver = () => clock.monotonic() - fromMs >= everyMs || written() - fromBytes >= everyBytes;
  do {
    // Rejects with nothing but the end of the term.
    await clock.sleep(Math.min(everyMs, LOOK_MS), signal).catch((reason: unknown) => reason);
  } while (!signal.aborted && !isOver());
}

interface Look {
  readonly revision: number;
  readonly isWanted: boolean;
}

async function look({ client, key, log }: CompactionOptions): Promise<Look | undefined> {
  try {
    const { header, kvs } = await client.range({ key }, TIMEOUT_MS);
    const [said] = kvs;
    return { revision: header.revision, isWanted: said === undefined || textOf(said.value).trim() !== "off" };
  } catch (error) {
    log.debug("etcd's revision is not known", { why: inWords(error) });
    return undefined;
  }
}

async function compact(client: CompactionOptions["client"], revision: number, log: Log): Promise<void> {
  try {
    await client.compact(revision, TIMEOUT_MS);
    log.debug("etcd has forgotten old revisions", { before: revision });
  } catch (error) {
    // Somebody else compacts as well: etcd itself (--auto-compaction-retention), or another user of it.
    const words = inWords(error);
    if (!/has been compacted/.test(words)) log.warn("etcd could not be compacted", { why: words });
  }
}
