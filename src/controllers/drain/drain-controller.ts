/**
 * Empties a node whose drain was asked for, a few pods at a time. Everything it knows is in the store: the marks on the
 * pods (DisruptionTarget) and the NodeDrain, so that it goes on where it was after a restart. A mark makes the pod's own
 * controller start a successor; this one stops the old copy when the successor is ready.
 */
import type { CopiesRule } from "../../model/copies.ts";
import { CopiesBook } from "../../model/copies-book.ts";
import { disruptionOf, withoutDisruption } from "../../model/disruption.ts";
import { controllerOf } from "../../model/meta.ts";
import { type Node, nodes } from "../../model/node.ts";
import { type DrainedPod, type NodeDrain, type NodeDrainStatus, nodeDrains } from "../../model/node-drain.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { type Clock, rfc3339 } from "../../seams/clock.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { Reader, Tx } from "../../store/transaction.ts";
import { type Controller, type Requeue, wakes } from "../controller.ts";
import { Deadlines } from "./deadlines.ts";
import { DrainPass } from "./drain-pass.ts";
import type { FindElsewhere } from "./elsewhere.ts";

export interface DrainOptions {
  /** One per kind that keeps copies, beside ReplicationController. */
  readonly copies: readonly CopiesRule[];
  readonly elsewhere: FindElsewhere;
  readonly clock: Pick<Clock, "monotonic">;
}

export function drainController({ copies, elsewhere, clock }: DrainOptions): Controller {
  const deadlines = new Deadlines(clock);
  const book = new CopiesBook(copies);
  return {
    name: "node-drain",
    wakers: [
      wakes(nodeDrains, ({ metadata }) => [metadata.name]),
      wakes(nodes, ({ metadata }, reader) => (reader.get(nodeDrains, metadata.name) ? [metadata.name] : [])),
      wakes(pods, drainsConcernedBy),
    ],
    reconcile(name, tx) {
      const drain = tx.get(nodeDrains, name);
      const node = tx.get(nodes, name);
      if (!drain) {
        deadlines.forget(name);
        return undefined;
      }
      if (!node) {
        tx.remove(nodeDrains, name);
        return undefined;
      }
      if (node.spec.unschedulable !== true) return end(tx, drain, node);
      if (drain.status.phase === "drained") return undefined;
      const pass = new DrainPass(tx, drain, book, elsewhere, deadlines.leftMs(drain, tx.nowMs));
      const silence = silenceOf(node);
      const rows = silence === undefined ? pass.run() : pass.observe();
      write(tx, drain, node, rows, silence);
      return Number.isFinite(pass.againInMs) ? ({ afterMs: Math.max(0, pass.againInMs) } satisfies Requeue) : undefined;
    },
  };
}

/** The drain of its own node, and those that wait for a copy of the same workload to become ready. */
function drainsConcernedBy(pod: Pod, reader: Reader): readonly string[] {
  const drains = reader.list(nodeDrains).filter(({ status }) => status.phase !== "drained");
  const owner = controllerOf(pod)?.uid;
  const waitsForIt = ({ key, state }: DrainedPod) => {
    if (owner === undefined || state !== "starting") return false;
    const moving = reader.get(pods, key);
    return moving !== undefined && controllerOf(moving)?.uid === owner;
  };
  return drains
    .filter(({ metadata, status }) => metadata.name === pod.spec.nodeName || status.pods.some(waitsForIt))
    .map(({ metadata }) => metadata.name);
}

/** A node that is silent is the node lifecycle's: what becomes of its pods is decided by the rules for lost nodes. */
function silenceOf({ status }: Node): string | undefined {
  const ready = status.conditions.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return undefined;
  return `nothing is moved while the node is not ready${ready?.message ? `: ${ready.message}` : ""}`;
}

function write(tx: Tx, drain: NodeDrain, node: Node, rows: readonly DrainedPod[], note: string | undefined): void {
  const phase = phaseOf(rows);
  const { startedAt } = drain.status;
  const status: NodeDrainStatus = {
    phase,
    startedAt,
    ...(phase === "drained" ? { endedAt: rfc3339(tx.nowMs) } : {}),
    ...(note === undefined || phase === "drained" ? {} : { note }),
    pods: rows,
  };
  tx.update(nodeDrains, { ...drain, status });
  if (phase !== drain.status.phase) announce(tx, node, status);
}

function phaseOf(rows: readonly DrainedPod[]): NodeDrainStatus["phase"] {
  const isOpen = ({ state }: DrainedPod) => state === "waiting" || state === "starting" || state === "stopping";
  if (rows.some((row) => isOpen(row) && !row.blocked)) return "draining";
  return rows.some(({ state, blocked }) => state === "stuck" || blocked) ? "blocked" : "drained";
}

function announce(tx: Tx, node: Node, { phase, pods: rows }: NodeDrainStatus): void {
  const of = (wanted: DrainedPod["state"]) => rows.filter(({ state }) => state === wanted);
  if (phase === "drained") {
    const stays = of("stays").length;
    const rest = stays === 0 ? "it is empty" : `${stays} ${stays === 1 ? "pod stays" : "pods stay"}`;
    const deleted = of("deleted").length;
    const message = `drained: ${of("moved").length} moved, ${deleted === 0 ? "" : `${deleted} deleted, `}${rest}`;
    recordEvent(tx, node, { type: "Normal", reason: "Drained", message, component: "drain" });
  } else if (phase === "blocked") {
    const [first, ...others] = rows.filter(({ state, blocked }) => state === "stuck" || blocked);
    const more = others.length === 0 ? "" : `, and ${others.length} more`;
    const what = first?.state === "stuck" ? " has nowhere to go" : "";
    const message = `the drain waits: ${first?.key}${what}: ${first?.reason}${more}`;
    recordEvent(tx, node, { type: "Warning", reason: "DrainBlocked", message, component: "drain" });
  }
}

/** The node takes pods again: what has not moved stays, and what started elsewhere for it is too many. */
function end(tx: Tx, drain: NodeDrain, node: Node): undefined {
  for (const pod of tx.by(pods, "node", node.metadata.name)) {
    if (disruptionOf(pod)?.reason === "Drain") tx.update(pods, withoutDisruption(pod, tx.nowMs, false));
  }
  if (drain.status.phase !== "drained") {
    const message = "uncordoned while it was being drained: what has not moved stays";
    recordEvent(tx, node, { type: "Normal", reason: "DrainEnded", message, component: "drain" });
  }
  tx.remove(nodeDrains, drain.metadata.name);
}
