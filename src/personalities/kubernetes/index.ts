/**
 * The Kubernetes dialect. Its objects are the kernel's own kinds, so there is nothing to translate: a request is
 * checked, given its defaults, and stored. `resources/` is the table that says how, kind by kind; `verbs/` is what can
 * be done to each; src/controllers does the rest.
 */

import type { Api, Route } from "../../http/route.ts";
import { ensureSystemNamespaces } from "../../store/system-namespaces.ts";
import type { Personality, PersonalityContext } from "../personality.ts";
import { inKubernetesWords } from "./not-allowed.ts";
import { resourceRoutes } from "./routes.ts";
import { serverRoutes } from "./server-routes.ts";
import { notFound, renderError } from "./status.ts";

export const kubernetes: Personality = {
  name: "kubernetes",
  kinds: [],
  api: (context) => kubernetesApi(context),
  controllers: () => [],
};

function kubernetesApi(context: PersonalityContext): Api {
  const log = context.log.with({ api: "kubernetes" });
  return {
    name: "kubernetes",
    prefixes: ["/api", "/apis", "/version", "/healthz", "/readyz", "/livez", "/openapi"],
    routes: [...afterNamespaces(context, resourceRoutes(context)), ...serverRoutes(context)],
    renderError: (error, request) => renderError(inKubernetesWords(error, request), log),
    notFound,
  };
}

/** The namespaces that must always be there are made before the first request is answered. */
function afterNamespaces({ store }: PersonalityContext, routes: readonly Route[]): readonly Route[] {
  let ready: Promise<void> | undefined;
  const ensured = () => {
    ready ??= store.update(ensureSystemNamespaces).catch(() => {
      // A store that cannot write now still answers reads; the next request tries again.
      ready = undefined;
    });
    return ready;
  };
  return routes.map((route) => ({
    ...route,
    handle: async (request, context) => {
      await ensured();
      return route.handle(request, context);
    },
  }));
}
