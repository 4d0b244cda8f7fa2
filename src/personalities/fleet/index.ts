/** fleet: unit files over HTTP. Units are stored as given; a controller makes the pods that stand for them. */
import type { Api } from "../../http/route.ts";
import { withinNamespace } from "../../http/within-namespace.ts";
import { ApiError } from "../../model/errors.ts";
import type { Personality } from "../personality.ts";
import { errorResponse, renderFailure } from "./errors.ts";
import { FLEET_NAMESPACE, machineMetadata, units } from "./kinds.ts";
import { machineMetadataController } from "./machine-metadata-controller.ts";
import { FLEET_VERSION, fleetRoutes, PREFIXES } from "./routes.ts";
import { unitController } from "./unit-controller.ts";
import { unitMoves } from "./unit-moves.ts";
import { discoverUnit } from "./unit-names.ts";
import { unrouted } from "./unrouted.ts";
import { unitWorkloads } from "./workloads.ts";

export const fleet: Personality = {
  name: "fleet",
  kinds: [units, machineMetadata],
  controllers: () => [unitController, machineMetadataController],
  copies: [unitMoves],
  discover: discoverUnit,
  workloads: () => unitWorkloads,
  api(context): Api {
    return {
      name: "fleet",
      prefixes: PREFIXES,
      routes: withinNamespace(FLEET_NAMESPACE, fleetRoutes(context)),
      renderError(error) {
        if (!(error instanceof ApiError))
          context.log.error("a bug in a fleet handler", { error: String((error as Error).stack ?? error) });
        // fleet's words for a store that is away, with ours beside them.
        if (error instanceof ApiError && error.reason === "Unavailable") {
          const response = errorResponse(503, "fleet server unable to communicate with etcd", FLEET_VERSION);
          response.headers.set("Warning", `299 - "${error.message.replace(/[^\x20-\x7e]|["\\]/g, "?")}"`);
          return response;
        }
        return renderFailure(error, FLEET_VERSION);
      },
      notFound: (request, allowed) => unrouted(new URL(request.url).pathname, allowed),
    };
  },
};
