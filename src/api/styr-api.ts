/**
 * Our own endpoints under /styr/v1: what the command line and the dashboard show across all dialects. They read the
 * store and explain it; what a dialect can say in its own API (create, scale, delete) is said there. docs/api.md.
 */

import type { Api, Route } from "../http/route.ts";
import { nodes } from "../model/node.ts";
import { nodeDrains } from "../model/node-drain.ts";
import { pods } from "../model/pod.ts";
import type { NodeRow } from "../model/reports.ts";
import { auditRoutes } from "./audit.ts";
import { authorityRoutes } from "./authorities.ts";
import { backupRoutes } from "./backup.ts";
import { brakeRoutes } from "./brake.ts";
import { certificateRoutes } from "./certificates.ts";
import type { StyrApiContext } from "./context.ts";
import { setCordoned } from "./cordon.ts";
import { drainRoutes } from "./drain.ts";
import { notFound, renderError } from "./errors.ts";
import { execRoute } from "./exec.ts";
import { exposureRoutes } from "./exposures.ts";
import { forgetRoutes } from "./forget.ts";
import { joinRoutes } from "./join.ts";
import { metricsRoutes } from "./metrics.ts";
import { networkRoutes } from "./network.ts";
import { listNodes } from "./node-rows.ts";
import { objectRoutes } from "./objects.ts";
import { statusOfPart } from "./own-part.ts";
import { atLeaderIfAny, listOrWatch, readOwnPart } from "./own-part-routes.ts";
import { PodTally } from "./pod-tally.ts";
import { portForwardRoute } from "./port-forward.ts";
import { rebalanceRoutes } from "./rebalance.ts";
import { restorationRoutes } from "./restoration.ts";
import { RowFeed } from "./row-feed.ts";
import { sealingRoutes } from "./sealing.ts";
import { serverRoutes } from "./servers.ts";
import { serviceRoutes } from "./services.ts";
import { settingsRoutes } from "./settings.ts";
import { statusReport } from "./status.ts";
import { tokenRoutes } from "./tokens.ts";
import { userRoutes } from "./users.ts";
import { workloadRoutes } from "./workload-routes.ts";
import { workloadRows } from "./workloads.ts";

export function styrApi(context: StyrApiContext): Api {
  const tally = new PodTally(context);
  return {
    name: "styr",
    prefixes: ["/styr", "/metrics"],
    routes: [
      ...workloadRoutes(context),
      ...nodeRoutes(context, tally),
      ...exposureRoutes(context),
      ...serviceRoutes(context),
      ...forgetRoutes(context),
      ...brakeRoutes(context),
      ...drainRoutes(context),
      ...rebalanceRoutes(context),
      ...settingsRoutes(context),
      ...serverRoutes(context),
      ...tokenRoutes(context),
      ...joinRoutes(context),
      ...certificateRoutes(context),
      ...authorityRoutes(context),
      ...metricsRoutes(context, tally),
      ...storeRoutes(context, tally),
      ...networkRoutes(context),
      ...objectRoutes(context),
      ...userRoutes(context),
      ...auditRoutes(context),
      ...sealingRoutes(context),
      ...backupRoutes(context),
      ...restorationRoutes(context),
    ],
    sockets: [execRoute(context), portForwardRoute(context)],
    renderError,
    notFound,
  };
}

function nodeRoutes(context: StyrApiContext, tally: PodTally): readonly Route[] {
  const { store, clock, lifecycle } = context;
  const list = () => listNodes({ ...context, tally });
  const feed = new RowFeed<NodeRow>({
    store,
    clock,
    kinds: [nodes, pods, nodeDrains],
    list,
    id: ({ name }) => name,
    // That a node is suspect is not stored.
    ...(lifecycle ? { anewEveryMs: 1000 } : {}),
  });
  const cordon = (method: "PUT" | "DELETE"): Route => ({
    method,
    path: "/styr/v1/nodes/:name/cordon",
    access: { verb: "write", resource: "nodes" },
    async handle(_request, { params, actor }) {
      await setCordoned(store, params.name ?? "", method === "PUT", actor.name);
      return new Response(null, { status: 204 });
    },
  });
  return [
    // Where his pods may go concerns everybody who has any; labels, room and health of nodes are no secrets of a namespace.
    atLeaderIfAny(
      readOwnPart("/styr/v1/nodes", "nodes", (_part, { url, signal }) =>
        listOrWatch({ field: "nodes", feed, clock, isMeant: undefined, rowOf: (row) => row }, url, signal),
      ),
    ),
    cordon("PUT"),
    cordon("DELETE"),
  ];
}

function storeRoutes(context: StyrApiContext, tally: PodTally): readonly Route[] {
  const { store, clock, sources, version, hostname } = context;
  return [
    atLeaderIfAny(
      readOwnPart("/styr/v1/status", "status", async (part) => {
        const report = await statusReport(context, tally);
        if (part === undefined) return Response.json(report);
        return Response.json(statusOfPart(report, store, await workloadRows(store, sources, clock), part));
      }),
    ),
    readOwnPart("/styr/v1/version", "status", () => Response.json({ version, node: hostname })),
  ];
}
