/** DELETE /styr/v1/nodes/NAME: a person says that a node is gone for good. */
import type { Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { keyOf } from "../model/meta.ts";
import { isNodeReady, type Node, nodes } from "../model/node.ts";
import { isTerminal, pods } from "../model/pod.ts";
import type { ForgetReport } from "../model/reports.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Tx } from "../store/transaction.ts";
import type { StyrApiContext } from "./context.ts";
import { forgetCertificates } from "./join.ts";

export function forgetRoutes(context: StyrApiContext): readonly Route[] {
  return [
    {
      method: "DELETE",
      path: "/styr/v1/nodes/:name",
      access: { verb: "write", resource: "nodes" },
      async handle(_request, { params, url, actor }) {
        const force = url.searchParams.get("force") === "true";
        const name = params.name ?? "";
        return Response.json(await context.store.update((tx) => forget(tx, context, name, force, actor.name)));
      },
    },
  ];
}

function forget(tx: Tx, { lifecycle }: StyrApiContext, name: string, force: boolean, by: string): ForgetReport {
  const node = tx.get(nodes, name);
  if (!node) throw new ApiError("NotFound", `there is no node "${name}"`, { kind: "Node", name });
  const alive = aliveWords(node, lifecycle?.stateOf(name)?.state);
  if (alive !== undefined && !force) {
    const way = `styr drain ${name}, then styr uninstall on that host; or, if the host is gone for good: styr forget ${name} --force`;
    throw new ApiError("Conflict", `${name} ${alive}; ${way}`);
  }
  const there = tx.by(pods, "node", name).filter((pod) => !isTerminal(pod));
  const message = `${by} says that ${name} is gone for good; ${there.length} pods were there`;
  recordEvent(tx, node, { type: "Warning", reason: "NodeForgotten", message, component: "api" });
  tx.remove(nodes, name);
  forgetCertificates(tx, name, `${by} has forgotten the node`);
  return { node: name, pods: there.map(keyOf).sort() };
}

/** Undefined when nothing is heard of it. */
function aliveWords(node: Node, state: string | undefined): string | undefined {
  if (state === "unreachable" || state === "gone") return undefined;
  if (state === "restarting") return "was stopped and is waited for, while what it runs goes on";
  if (state === "suspect") return "was heard a moment ago: it would come back at once";
  return state === "ready" || isNodeReady(node) ? "is alive: it would come back at once" : undefined;
}
