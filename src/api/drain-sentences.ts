/** What a drain of their node means to pods, in words. Pure in what it reads. */
import { humanDuration } from "../lib/duration.ts";
import { type NodeDrain, nodeDrains } from "../model/node-drain.ts";
import type { Pod } from "../model/pod.ts";
import type { Reader } from "../store/transaction.ts";

/** For `styr why`: nothing when its node is not being drained, or when it has been asked to go already. */
export function drainSentences(reader: Pick<Reader, "get">, { metadata, spec }: Pod): readonly string[] {
  const drain = spec.nodeName === undefined ? undefined : reader.get(nodeDrains, spec.nodeName);
  const row = drain?.status.pods.find(({ uid }) => uid === metadata.uid);
  if (!drain || !row || drain.status.phase === "drained" || metadata.deletionTimestamp !== undefined) return [];
  const drained = `${spec.nodeName} is being drained`;
  if (row.state === "stays") return [`${drained}; it stays: ${row.reason}`];
  const { deadline } = drain.spec;
  const end = deadline === undefined ? "" : `; if it has not moved by ${deadline} it is stopped anyway`;
  return [`${drained}, so it is to move elsewhere: ${row.reason}${end}`];
}

/** `n1: draining 0/3, blocked, what is left is stopped in 9m50s (more: styr drain n1)`: one line for each drain that is not over. */
export function drainTroubles(drains: readonly NodeDrain[], nowMs: number): readonly string[] {
  return drains
    .filter(({ status }) => status.phase !== "drained")
    .map(({ metadata, spec, status }) => {
      const rows = status.pods.filter(({ state }) => state !== "stays");
      const done = rows.filter(({ state }) => state === "moved" || state === "deleted").length;
      const { phase, note } = status;
      const words = [
        `draining ${done}/${rows.length}`,
        ...(phase === "blocked" ? ["blocked"] : []),
        ...(note === undefined ? [] : [note]),
        ...(spec.deadline === undefined ? [] : [deadlineWords(spec.deadline, nowMs)]),
      ];
      return `${metadata.name}: ${words.join(", ")} (more: styr drain ${metadata.name})`;
    });
}

/** `what is left is stopped in 9m50s`. */
export function deadlineWords(deadline: string, nowMs: number): string {
  const leftMs = Date.parse(deadline) - nowMs;
  return leftMs <= 0 ? "what is left is stopped now" : `what is left is stopped in ${humanDuration(leftMs)}`;
}
