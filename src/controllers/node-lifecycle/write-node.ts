/** Makes the store say of one node and its pods what its lease says. One transaction; writing it twice changes nothing. */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import { type Node, nodes } from "../../model/node.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { Tx } from "../../store/transaction.ts";
import { FLAPPING_TROUBLE, isFlapping } from "./flapping.ts";
import { type Comeback, isAway, isGone, type Lease } from "./lease.ts";
import { forgetAtMs, isLostAlready } from "./move-rules.ts";
import { HEALTHY, isLost, markHealth, markNode, type Standing, type Trouble, troubleOf } from "./node-marks.ts";
import { noteAll } from "./node-notes.ts";
import { deleteGivenAway, forgetPod, markNotReady, takeBack } from "./pod-marks.ts";
import { comebackWords, silentWords, spell } from "./words.ts";

/** A health word counts once it has been said for so long. */
export const HYSTERESIS_MS = 3_000;

const REBOOTING: Trouble = { reason: "Restarting", message: "said that it reboots" };

export interface NodeWrite {
  readonly lease: Lease;
  /** Undefined: it has not been heard, and not been given up. */
  readonly standing: Standing | undefined;
  /** Monotonic. */
  readonly nowMs: number;
  readonly settings: ClusterSettingsSpec;
  /** Of the brake, when it holds the node. */
  readonly heldWords: string;
}

export interface Written {
  readonly standing: Standing | undefined;
  readonly comeback: Comeback | undefined;
  readonly gone: boolean;
  readonly returnedUntilMs: number | undefined;
  /** Monotonic; when to look again. */
  readonly againMs: number | undefined;
}

export function writeNode(tx: Tx, write: NodeWrite): Written {
  const { lease, standing } = write;
  const node = tx.get(nodes, lease.node);
  const { comeback, returnedUntilMs } = lease;
  const nothing = { standing, comeback, returnedUntilMs, gone: false, againMs: undefined };
  if (!node) return nothing;
  const noted = noteAll(node, lease, { nowMs: write.nowMs, wallMs: tx.nowMs, standing }, write.settings);
  if (standing === undefined) tx.update(nodes, noted.node);
  else writeMarks(tx, noted.node, write);
  if (standing === undefined || standing === "held") return { ...nothing, againMs: finite(noted.againMs) };
  const bound = tx.by(pods, "node", lease.node);
  const again = isLost(standing) ? writeLost(tx, bound, write) : writeUp(tx, bound, write);
  const againMs = finite(Math.min(again, noted.againMs));
  const gone = isLost(standing) && isGone(lease, write.nowMs, write.settings);
  return { ...nothing, gone, againMs };
}

function finite(ms: number): number | undefined {
  return Number.isFinite(ms) ? ms : undefined;
}

function writeMarks(tx: Tx, node: Node, { lease, standing = "up", nowMs, heldWords }: NodeWrite): void {
  const silent = silentWords(lease, nowMs);
  const message = standing === "held" ? `${silent}; the brake holds: ${heldWords}` : `${silent}: it is unreachable`;
  const marked = markNode(node, standing, message, tx.nowMs);
  if (marked !== node && isLost(standing)) note(tx, node, "Warning", "NodeUnreachable", message);
  if (standing === "up" && lease.comeback) note(tx, node, "Normal", "NodeBack", comebackWords(lease.comeback));
  tx.update(nodes, standing === "up" ? writeHealth(tx, marked, lease, nowMs) : marked);
}

function writeHealth(tx: Tx, node: Node, lease: Lease, nowMs: number): Node {
  const reboots = isAway(lease, nowMs) && lease.leaving?.goodbye.why === "reboot";
  const flaps = isFlapping(lease.flaps, nowMs);
  if (!reboots && !flaps && nowMs - lease.word.sinceMs < HYSTERESIS_MS) return node;
  const word = flaps ? FLAPPING_TROUBLE : troubleOf(lease.word.health, lease.word.message);
  const trouble = reboots ? REBOOTING : word;
  const marked = markHealth(node, trouble, tx.nowMs);
  if (marked === node) return node;
  const advice = ": new pods go elsewhere while they can, and nothing is moved";
  if (trouble) note(tx, node, "Warning", trouble.reason, `${trouble.message}${advice}`);
  else note(tx, node, "Normal", HEALTHY, "nothing is amiss any more");
  return marked;
}

/** Gives the monotonic time of what is next to be done, or Infinity. */
function writeLost(tx: Tx, bound: readonly Pod[], { lease, nowMs, settings }: NodeWrite): number {
  const gone = isGone(lease, nowMs, settings);
  let againMs = gone || !lease.loss ? Number.POSITIVE_INFINITY : lease.loss.sinceMs + settings.goneAfterMs;
  let forgotten = 0;
  for (const pod of bound) {
    const forgetMs = forgetAtMs(pod);
    if ((gone && isLostAlready(pod)) || (forgetMs !== undefined && forgetMs <= tx.nowMs)) {
      const why = `node ${lease.node} has been ${silentWords(lease, nowMs)}: what may still run there is stopped when it is back`;
      forgetPod(tx, pod, why);
      forgotten++;
      continue;
    }
    if (forgetMs !== undefined) againMs = Math.min(againMs, nowMs + forgetMs - tx.nowMs);
    markNotReady(tx, pod, lease.node);
  }
  if (gone && !lease.goneTold) noteGone(tx, lease, settings, forgotten);
  return againMs;
}

function noteGone(tx: Tx, { node: name }: Lease, { goneAfterMs }: ClusterSettingsSpec, forgotten: number): void {
  const node = tx.get(nodes, name);
  const message = `unreachable for ${spell(goneAfterMs)}: gone; ${forgotten} pods that were replaced are forgotten. If it never comes back: styr forget ${name}`;
  if (node) note(tx, node, "Warning", "NodeGone", message);
}

function writeUp(tx: Tx, bound: readonly Pod[], { lease, nowMs }: NodeWrite): number {
  const untilMs = lease.returnedUntilMs;
  if (untilMs === undefined) return Number.POSITIVE_INFINITY;
  let waits = false;
  for (const pod of bound) {
    deleteGivenAway(tx, pod);
    if (!takeBack(tx, pod, nowMs >= untilMs)) waits = true;
  }
  return waits ? untilMs : Number.POSITIVE_INFINITY;
}

function note(tx: Tx, node: Node, type: "Normal" | "Warning", reason: string, message: string): void {
  recordEvent(tx, node, { type, reason, message, component: "node-lifecycle" });
}
