/**
 * Marathon's dialect. Apps come in through routes/, are checked (schema, validate), normalised and written down as
 * versions with a deployment (deploy.ts); controllers/ make pods from them (translate.ts); answers join both (render.ts).
 */
import type { Api } from "../../http/route.ts";
import type { Personality } from "../personality.ts";
import { appController } from "./controllers/app-controller.ts";
import { deploymentController } from "./controllers/deployment-controller.ts";
import { renderError, renderNotFound } from "./errors.ts";
import { appDeployments, appGroups, apps, appVersions } from "./kinds.ts";
import { appRoutes } from "./routes/apps.ts";

export const marathon: Personality = {
  name: "marathon",
  kinds: [apps, appVersions, appDeployments, appGroups],
  api: (context): Api => ({
    name: "marathon",
    prefixes: ["/v2", "/ping"],
    routes: [...appRoutes(context)],
    renderError: (error) => renderError(error),
    notFound: (_request, allowed) => renderNotFound(allowed),
  }),
  controllers: () => [appController, deploymentController],
};
