/** Waits until nobody leads, and takes the leadership in one transaction that fails when somebody else was faster. */
import type { Clock } from "../../../seams/clock.ts";
import type { Log } from "../../../seams/log.ts";
import { JournalRefusal, type ServerIdentity } from "../../journal.ts";
import type { EtcdClient } from "./client.ts";
import { type Keys, textOf } from "./keys.ts";
import type { KeyValue, Op, TxnResponse } from "./rpc/messages.ts";
import type { LeaderRecord, Sight } from "./sight.ts";
import { inWords, isHopeless, verdictOf } from "./trouble.ts";

export interface CampaignOptions {
  readonly client: Pick<EtcdClient, "txn">;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: Keys;
  readonly sight: Sight;
  readonly ttlMs: number;
  /** Written by the first that ever leads below this prefix; `revision` as it is known now, 0: nobody has. */
  readonly cluster: () => { readonly value: string; readonly revision: number };
  /** Somebody has meanwhile. Throws JournalRefusal when that is another cluster. */
  readonly sawCluster: (value: string, revision: number) => void;
}

export interface Won {
  readonly record: LeaderRecord;
  readonly revision: number;
  readonly sinceMs: number;
}

/** What was asked for, by the value that the leader key has if it was done. */
type Claims = Map<string, Omit<Won, "revision">>;

const AGAIN_MS = 200;
/** Of the lease: how long one member may take to answer. */
const ATTEMPT = 1 / 3;
/** Longer than any lease: who waits for news alone still looks again. */
const LOOK_MS = 60_000;

export async function campaign(options: CampaignOptions, me: ServerIdentity, signal: AbortSignal): Promise<Won> {
  const { sight, clock } = options;
  const space = { wasFull: false };
  const claims: Claims = new Map();
  for (;;) {
    signal.throwIfAborted();
    const waitMs = sight.claimableInMs;
    if (waitMs > 0) {
      await sight.news(Math.min(waitMs, LOOK_MS), signal);
      continue;
    }
    try {
      if (space.wasFull) await tryToWrite(options, space);
      else {
        const won = await claim(options, me, claims);
        if (won) return won;
      }
    } catch (error) {
      reject(error, options, space);
      await clock.sleep(AGAIN_MS, signal);
    }
  }
}

/** Undefined when somebody else was faster; then that is seen. */
async function claim(options: CampaignOptions, me: ServerIdentity, claims: Claims): Promise<Won | undefined> {
  const { client, clock, keys, sight, ttlMs } = options;
  const cluster = options.cluster();
  const { name, url, version } = me;
  const record: LeaderRecord = { name, url, version, term: sight.term + 1, claimedMs: clock.now() };
  const sinceMs = clock.monotonic();
  claims.set(JSON.stringify(record), { record, sinceMs });
  const first: Op[] = cluster.revision === 0 ? [{ put: { key: keys.cluster, value: cluster.value } }] : [];
  const answer = await client.txn(
    {
      unchanged: [
        { key: keys.leader, modRevision: sight.seen.leader },
        { key: keys.pulse, modRevision: sight.seen.pulse },
        { key: keys.cluster, modRevision: cluster.revision },
      ],
      apply: [
        { put: { key: keys.leader, value: JSON.stringify(record) } },
        { put: { key: keys.pulse, value: "" } },
        ...first,
      ],
      otherwise: [{ key: keys.leader }, { key: keys.pulse }, { key: keys.cluster }],
    },
    ttlMs * ATTEMPT,
  );
  if (answer.succeeded) return { record, revision: answer.header.revision, sinceMs };
  learn(answer, options);
  return earlier(answer.kvs, keys, claims);
}

/** An attempt whose answer was lost, and that was the faster one after all. */
function earlier(kvs: readonly KeyValue[], keys: Keys, claims: Claims): Won | undefined {
  const leader = kvs.find(({ key }) => key === keys.leader);
  const claim = leader && claims.get(textOf(leader.value));
  return claim && { ...claim, revision: leader.modRevision };
}

/** What stood in the way, as it is: a key that is not there was deleted by somebody. */
function learn({ kvs, header }: TxnResponse, { keys, sight, sawCluster }: CampaignOptions): void {
  const find = (wanted: string) => kvs.find(({ key }) => key === wanted);
  const [leader, pulse, cluster] = [find(keys.leader), find(keys.pulse), find(keys.cluster)];
  const record = leader && (JSON.parse(textOf(leader.value)) as LeaderRecord);
  sight.sawLeader(record, leader?.modRevision ?? header.revision);
  sight.sawPulse(pulse !== undefined, pulse?.modRevision ?? header.revision);
  if (cluster) sawCluster(textOf(cluster.value), cluster.modRevision);
}

/**
 * After a refusal for want of space, silence proves nothing: the leader's pulses were refused too. Once a write of our own
 * goes through again, theirs do, and the silence counts from there.
 */
async function tryToWrite({ client, keys, sight, ttlMs }: CampaignOptions, space: { wasFull: boolean }): Promise<void> {
  await client.txn({ unchanged: [], apply: [{ put: { key: `${keys.prefix}probe`, value: "" } }] }, ttlMs);
  space.wasFull = false;
  sight.restart();
}

function reject(error: unknown, { log }: CampaignOptions, space: { wasFull: boolean }): void {
  if (error instanceof JournalRefusal) throw error;
  if (verdictOf(error) === "full") space.wasFull = true;
  else if (isHopeless(error)) throw new JournalRefusal(inWords(error));
  log.debug("the leadership cannot be taken yet", { why: inWords(error) });
}
