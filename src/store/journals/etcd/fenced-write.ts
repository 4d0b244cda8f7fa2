/** One transaction of a leader, asked for until its fate is known: a deposed leader's never happens. */
import type { Clock } from "../../../seams/clock.ts";
import { JournalDoubt, JournalRefusal } from "../../journal.ts";
import { Attempts } from "./attempts.ts";
import type { EtcdClient } from "./client.ts";
import { decodeHead } from "./head.ts";
import { type Keys, textOf } from "./keys.ts";
import type { KeyValue, Op, TxnRequest, TxnResponse } from "./rpc/messages.ts";
import type { LeaderRecord } from "./sight.ts";
import type { Term } from "./term.ts";
import { inWords, verdictOf } from "./trouble.ts";

export interface FencedWriter {
  readonly client: Pick<EtcdClient, "txn">;
  readonly clock: Clock;
  readonly keys: Keys;
  readonly term: Term;
  readonly attemptMs: number;
}

export interface FencedWrite {
  readonly ops: readonly Op[];
  /** Of etcd: the head it follows. An attempt that was asked again and is late all the same finds another head, and does nothing. */
  readonly headRevision: number;
  /** Of a batch: the revision that the head has once it is written. */
  readonly revision?: number;
}

const AGAIN_MS = 50;

/** Resolves with etcd's revision of it. Rejects with JournalRefusal when it is not and will not be done, with JournalDoubt when that is not known. */
export async function fencedWrite(writer: FencedWriter, write: FencedWrite): Promise<number> {
  const { term, clock } = writer;
  const attempts = new Attempts(writer, requestFor(writer, write));
  let isInDoubt = false;
  for (;;) {
    if (!term.isValid) throw unfinished(isInDoubt, wordsOf(term));
    const outcome = await attempts.next();
    if ("answer" in outcome) return settle(outcome.answer, writer, write, isInDoubt);
    const { error } = outcome;
    const verdict = error === undefined ? "doubt" : verdictOf(error);
    if (verdict === "full") return readBack(writer, write, isInDoubt, inWords(error));
    if (verdict === "refused") {
      if (isInDoubt) term.lose(inWords(error));
      throw unfinished(isInDoubt, inWords(error));
    }
    isInDoubt = true;
    // Rejects with nothing but the loss, which the loop sees.
    await clock.sleep(AGAIN_MS, term.lost).catch((reason: unknown) => reason);
  }
}

function requestFor({ term, keys }: FencedWriter, { ops, headRevision }: FencedWrite): TxnRequest {
  const unchanged = [term.fence, { key: keys.head, modRevision: headRevision }];
  return { unchanged, apply: ops, otherwise: [{ key: keys.leader }, { key: keys.head }] };
}

/** etcd has answered: done now, done by an earlier attempt, or never to be done. */
function settle(answer: TxnResponse, { keys, term }: FencedWriter, write: FencedWrite, isInDoubt: boolean): number {
  if (answer.succeeded) return answer.header.revision;
  const find = (key: string) => answer.kvs.find((kv) => kv.key === key);
  const [leader, head] = [find(keys.leader), find(keys.head)];
  const fate = fateOf(head, term.term, write);
  if (leader?.modRevision !== term.leaderRevision) term.lose(deposedBy(leader));
  else if (fate !== "written") term.lose("somebody who does not lead has written below its prefix in etcd");
  if (isInDoubt && fate === "written" && head) return head.modRevision;
  throw unfinished(isInDoubt && fate === "not known", wordsOf(term));
}

/** Of a batch that may have been written by an attempt whose answer was lost; whatever wrote the head since tells. */
function fateOf(
  head: KeyValue | undefined,
  term: number,
  { headRevision, revision }: FencedWrite,
): "written" | "not written" | "not known" {
  if (revision === undefined) return "not known";
  if (!head) return "not written";
  const written = decodeHead(textOf(head.value));
  if (written.term !== term) return head.modRevision === headRevision ? "not written" : "not known";
  return written.revision === revision ? "written" : "not written";
}

/** Out of space: etcd may have done it all the same, and has finished with it either way. */
async function readBack(writer: FencedWriter, write: FencedWrite, isInDoubt: boolean, why: string): Promise<number> {
  const { client, term, attemptMs } = writer;
  const request: TxnRequest = { ...requestFor(writer, write), apply: [] };
  try {
    const answer = await client.txn(request, attemptMs);
    // Nothing has changed: neither this attempt nor, unless it is still on its way, an earlier one was done.
    if (answer.succeeded && !isInDoubt) throw new JournalRefusal(why);
    if (!answer.succeeded) return settle(answer, writer, write, true);
  } catch (error) {
    if (error instanceof JournalRefusal || error instanceof JournalDoubt) throw error;
  }
  term.lose(why);
  throw new JournalDoubt(why);
}

function unfinished(isInDoubt: boolean, why: string): Error {
  return isInDoubt ? new JournalDoubt(why) : new JournalRefusal(why);
}

function wordsOf({ lost }: Term): string {
  return lost.reason instanceof Error ? lost.reason.message : "this server no longer leads";
}

function deposedBy(leader: KeyValue | undefined): string {
  if (!leader) return "the leader's key in etcd is gone";
  const { name } = JSON.parse(textOf(leader.value)) as LeaderRecord;
  return `${name} leads now`;
}
