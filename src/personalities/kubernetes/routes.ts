/** Every route, from the table of resources. */
import type { Access } from "../../http/actor.ts";
import type { RequestContext, Route } from "../../http/route.ts";
import type { PersonalityContext } from "../personality.ts";
import type { Resource, Subresource } from "./resource.ts";
import { resourcesBeside } from "./resources/resources.ts";
import { bind } from "./verbs/binding.ts";
import { create } from "./verbs/create.ts";
import { remove, removeCollection } from "./verbs/delete.ts";
import { get, listOrWatch } from "./verbs/read.ts";
import { getScale, patchScale, replaceScale } from "./verbs/scale.ts";
import type { Call, Serving } from "./verbs/serving.ts";
import { SharedPieces } from "./verbs/shared-pieces.ts";
import { patch, replace } from "./verbs/update.ts";

type Verb = (call: Call) => Response | Promise<Response>;
type Make = (method: Route["method"], path: string, verb: Access["verb"], handle: Verb) => Route;

export function resourceRoutes({ publishers = [], ...context }: PersonalityContext): readonly Route[] {
  const serving: Serving = { ...context, shared: new SharedPieces() };
  return resourcesBeside(publishers).flatMap((resource) => routesOf(resource, maker(serving, resource)));
}

function maker(serving: Serving, resource: Resource): Make {
  return (method, path, verb, handle) => ({
    method,
    path,
    access: { verb, resource: resource.plural, ...reachOf(resource, path, verb) },
    handle: (request: Request, context: RequestContext) =>
      handle({ serving, resource, request, context, namespace: namespaceIn(resource, context) }),
  });
}

/** A namespace is looked at by whoever may look into it; only who may do so everywhere changes it. */
function reachOf({ plural }: Resource, path: string, verb: Access["verb"]): Pick<Access, "reach"> {
  return plural === "namespaces" && verb === "read" && path.includes(":name")
    ? { reach: { namespaceParam: "name" } }
    : {};
}

function namespaceIn({ kind }: Resource, { params }: RequestContext): string | undefined {
  return kind.namespaced ? params.namespace : undefined;
}

function routesOf(resource: Resource, make: Make): readonly Route[] {
  const { plural, kind, deletesCollection, subresources } = resource;
  const root = kind.apiVersion.includes("/") ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const collection = kind.namespaced ? `${root}/namespaces/:namespace/${plural}` : `${root}/${plural}`;
  const item = `${collection}/:name`;
  return [
    make("GET", collection, "read", listOrWatch),
    make("POST", collection, "write", create),
    ...(deletesCollection ? [make("DELETE", collection, "write", removeCollection)] : []),
    // Over all namespaces there is only reading.
    ...(kind.namespaced ? [make("GET", `${root}/${plural}`, "read", listOrWatch)] : []),
    make("GET", item, "read", get),
    make("PUT", item, "write", (call) => replace(call, "main")),
    make("PATCH", item, "write", (call) => patch(call, "main")),
    make("DELETE", item, "write", remove),
    ...subresources.flatMap((name) => SUBROUTES[name](`${item}/${name}`, make)),
  ];
}

type Subroutes = (path: string, make: Make) => readonly Route[];

/** Status and binding are for the machinery, not for people: only admins may speak in its place. */
const SUBROUTES: Readonly<Record<Subresource, Subroutes>> = {
  status: (path, make) => [
    make("GET", path, "read", get),
    make("PUT", path, "admin", (call) => replace(call, "status")),
    make("PATCH", path, "admin", (call) => patch(call, "status")),
  ],
  scale: (path, make) => [
    make("GET", path, "read", getScale),
    make("PUT", path, "write", replaceScale),
    make("PATCH", path, "write", patchScale),
  ],
  binding: (path, make) => [make("POST", path, "admin", bind)],
};
