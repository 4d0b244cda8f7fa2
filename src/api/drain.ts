/**
 * /styr/v1/nodes/NAME/drain: PUT asks for a drain or joins the one under way, GET says how it fares, DELETE ends it. The
 * drain itself is a controller's: whoever asked may go away.
 */
import type { RequestContext, Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { type Node, nodes } from "../model/node.ts";
import { DRAIN_AT_ONCE, type NodeDrain, nodeDrains } from "../model/node-drain.ts";
import { rfc3339 } from "../seams/clock.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Tx } from "../store/transaction.ts";
import type { StyrApiContext } from "./context.ts";
import { setCordoned } from "./cordon.ts";
import { drainReport } from "./drain-report.ts";
import { flag, optionsOf, wholeNumber } from "./request-options.ts";

export interface DrainWish {
  /** From now on. */
  readonly deadlineMs?: number;
  readonly force?: boolean;
  readonly atOnce?: number;
}

const PATH = "/styr/v1/nodes/:name/drain";

export function drainRoutes({ store, clock }: StyrApiContext): readonly Route[] {
  const nameOf = ({ params }: RequestContext) => params.name ?? "";
  const report = (name: string) => {
    const drain = store.get(nodeDrains, name);
    if (!drain) throw new ApiError("NotFound", `node ${name} is not being drained`, { kind: "NodeDrain", name });
    return Response.json(drainReport(drain, clock.now()));
  };
  return [
    {
      method: "GET",
      path: PATH,
      access: { verb: "read", resource: "nodes" },
      handle: (_request, context) => report(nameOf(context)),
    },
    {
      method: "PUT",
      path: PATH,
      access: { verb: "write", resource: "nodes" },
      async handle(request, context) {
        const wish = await readWish(request);
        await store.update((tx) => void beginDrain(tx, nameOf(context), wish, context.actor.name));
        return report(nameOf(context));
      },
    },
    {
      method: "DELETE",
      path: PATH,
      access: { verb: "write", resource: "nodes" },
      async handle(_request, context) {
        await setCordoned(store, nameOf(context), false, context.actor.name);
        return new Response(null, { status: 204 });
      },
    },
  ];
}

async function readWish(request: Request): Promise<DrainWish> {
  const options = await optionsOf(request, ["deadlineMs", "force", "atOnce"]);
  return {
    ...wholeNumber(options, "deadlineMs", 0, 30 * 86_400_000),
    ...wholeNumber(options, "atOnce", 1, 1000),
    ...flag(options, "force"),
  };
}

/** Cordons the node and writes down that it is to be drained. One that is being drained already takes what is new in the wish. */
export function beginDrain(tx: Tx, name: string, wish: DrainWish, by: string): NodeDrain {
  const node = tx.get(nodes, name);
  if (!node) throw new ApiError("NotFound", `there is no node "${name}"`, { kind: "Node", name });
  const present = tx.get(nodeDrains, name);
  if (present && present.status.phase !== "drained") return joinDrain(tx, node, present, wish, by);
  if (present) tx.remove(nodeDrains, name);
  cordon(tx, node);
  const until =
    wish.deadlineMs === undefined ? "" : `; what has not moved by ${deadlineOf(tx, wish)} is stopped anyway`;
  tell(tx, node, "Draining", `${by} drains it: its pods move elsewhere${until}`);
  return tx.create<NodeDrain>(nodeDrains, {
    apiVersion: nodeDrains.apiVersion,
    kind: "NodeDrain",
    metadata: { name },
    spec: { by, force: wish.force ?? false, atOnce: wish.atOnce ?? DRAIN_AT_ONCE, ...deadline(tx, wish) },
    status: { phase: "draining", startedAt: rfc3339(tx.nowMs), pods: [] },
  });
}

function joinDrain(tx: Tx, node: Node, present: NodeDrain, wish: DrainWish, by: string): NodeDrain {
  const { force, atOnce } = present.spec;
  const wanted = { force: force || (wish.force ?? false), atOnce: wish.atOnce ?? atOnce };
  const joined = tx.update(nodeDrains, { ...present, spec: { ...present.spec, ...wanted, ...deadline(tx, wish) } });
  cordon(tx, node);
  if (joined !== present) tell(tx, node, "Draining", `${by} changed how it is drained`);
  return joined;
}

function deadline(tx: Tx, wish: DrainWish): { readonly deadline?: string } {
  return wish.deadlineMs === undefined ? {} : { deadline: deadlineOf(tx, wish) };
}

function deadlineOf(tx: Tx, { deadlineMs = 0 }: DrainWish): string {
  return rfc3339(tx.nowMs + deadlineMs);
}

function cordon(tx: Tx, node: Node): void {
  if (node.spec.unschedulable !== true) tx.update(nodes, { ...node, spec: { ...node.spec, unschedulable: true } });
}

function tell(tx: Tx, node: Node, reason: string, message: string): void {
  recordEvent(tx, node, { type: "Normal", reason, message, component: "drain" });
}
