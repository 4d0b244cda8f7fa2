/** /v2/apps/{id}/versions: what an app was (specification 2.1). */
import type { RequestContext, Route } from "../../../http/route.ts";
import type { PersonalityContext } from "../../personality.ts";
import { visibleApp } from "../deploy.ts";
import { noSuchApp } from "../errors.ts";
import { nameOfId } from "../ids.ts";
import { versionsOf } from "../versions.ts";
import { answer } from "./answer.ts";
import { idOf } from "./app-id.ts";

const READ = { verb: "read", resource: "apps" } as const;

export function versionRoutes({ store }: PersonalityContext): readonly Route[] {
  return [
    { method: "GET", path: "/v2/apps/:id{.+}/versions", access: READ, handle: (_, context) => list(context) },
    { method: "GET", path: "/v2/apps/:id{.+}/versions/:version", access: READ, handle: (_, context) => read(context) },
  ];

  /** Newest first. */
  function list(context: RequestContext): Response {
    const versions = knownVersions(context).map(({ version }) => version);
    return answer({ versions: versions.reverse() }, context);
  }

  function read(context: RequestContext): Response {
    const wanted = context.params.version ?? "";
    const found = knownVersions(context).find(({ version }) => version === wanted);
    if (!found) throw noSuchApp(idOf(context), wanted);
    return answer(found, context);
  }

  function knownVersions(context: RequestContext) {
    const id = idOf(context);
    if (!visibleApp(store, id)) throw noSuchApp(id);
    return versionsOf(store, nameOfId(id));
  }
}
