/**
 * Marathon's dialect. Apps come in through routes/, are checked (schema, validate), normalised and written down as
 * versions with a deployment (deploy.ts); controllers/ make pods from them (translate.ts); answers join both (render.ts).
 */
import type { Api } from "../../http/route.ts";
import { withinNamespace } from "../../http/within-namespace.ts";
import type { Personality } from "../personality.ts";
import { appMoves } from "./app-moves.ts";
import { appPublisher } from "./app-publisher.ts";
import { appController } from "./controllers/app-controller.ts";
import { deploymentController } from "./controllers/deployment-controller.ts";
import { discoverApp } from "./discovery.ts";
import { renderError, renderNotFound } from "./errors.ts";
import { appDeployments, appGroups, apps, appVersions, NAMESPACE } from "./kinds.ts";
import { appRoutes } from "./routes/apps.ts";
import { deploymentRoutes } from "./routes/deployments.ts";
import { eventRoutes } from "./routes/events.ts";
import { groupRoutes } from "./routes/groups.ts";
import { withLeaderHeader } from "./routes/leader-header.ts";
import { queueRoutes } from "./routes/queue.ts";
import { systemRoutes } from "./routes/system.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { versionRoutes } from "./routes/versions.ts";
import { appWorkloads } from "./workloads.ts";

export const marathon: Personality = {
  name: "marathon",
  kinds: [apps, appVersions, appDeployments, appGroups],
  api: (context): Api => ({
    name: "marathon",
    prefixes: ["/v2", "/ping"],
    // Of two that match the first wins, so what is below an app comes before apps themselves.
    routes: withLeaderHeader(
      withinNamespace(NAMESPACE, [
        ...taskRoutes(context),
        ...versionRoutes(context),
        ...appRoutes(context),
        ...deploymentRoutes(context),
        ...queueRoutes(context),
        ...groupRoutes(context),
        ...eventRoutes(context),
        ...systemRoutes(context),
      ]),
      context.leader,
    ),
    renderError: (error) => renderError(error),
    notFound: (_request, allowed) => renderNotFound(allowed),
  }),
  controllers: () => [appController, deploymentController],
  copies: [appMoves],
  discover: discoverApp,
  publisher: appPublisher,
  workloads: () => appWorkloads,
};
