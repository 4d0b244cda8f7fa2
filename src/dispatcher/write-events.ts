import type { NodeEvent } from "../agent/control.ts";
import { events } from "../model/event.ts";
import { keyOf } from "../model/meta.ts";
import { pods } from "../model/pod.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Tx } from "../store/transaction.ts";

/** Kept of one pod: what is new takes the place of what was last seen longest ago. */
export const MOST_EVENTS_OF_A_POD = 200;

/** Writes what an agent says happened to its pods; what is about an earlier pod of the same name is left out. */
export function writeEvents(tx: Tx, happened: readonly NodeEvent[]): void {
  const byPod = new Map<string, NodeEvent[]>();
  for (const event of happened) {
    const mine = byPod.get(event.podUid);
    if (mine) mine.push(event);
    else byPod.set(event.podUid, [event]);
  }
  for (const [uid, mine] of byPod) {
    for (const event of mine.slice(-MOST_EVENTS_OF_A_POD)) writeEvent(tx, event);
    makeRoom(tx, uid);
  }
}

function writeEvent(tx: Tx, { podKey, podUid, ...happening }: NodeEvent): void {
  const pod = tx.get(pods, podKey);
  if (pod?.metadata.uid !== podUid) return;
  const { type, reason, message } = happening;
  const host = pod.spec.nodeName;
  recordEvent(tx, pod, { type, reason, message, component: "agent", ...(host === undefined ? {} : { host }) });
}

function makeRoom(tx: Tx, uid: string): void {
  const present = tx.by(events, "about", uid);
  if (present.length <= MOST_EVENTS_OF_A_POD) return;
  const revision = (version: string) => Number(version);
  const oldest = [...present].sort(
    (a, b) => revision(a.metadata.resourceVersion) - revision(b.metadata.resourceVersion),
  );
  for (const event of oldest.slice(0, present.length - MOST_EVENTS_OF_A_POD)) tx.remove(events, keyOf(event));
}
