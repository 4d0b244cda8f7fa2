/**
 * /styr/v1/objects: stored objects as they are, for `styr inspect KIND/KEY`. What has commands of its own (users, keys of
 * the cluster) is not among them; of what is encrypted in the store only those hear who may write it.
 */
import { type Access, type Actor, authorize } from "../http/actor.ts";
import { NotAllowed } from "../http/not-allowed.ts";
import type { RequestContext, Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import type { Kind, StoredObject } from "../model/meta.ts";
import type { StyrApiContext } from "./context.ts";

export function objectRoutes(context: StyrApiContext): readonly Route[] {
  const { store } = context;
  return [
    route("/styr/v1/objects/:kind", context, (kind, maySee) =>
      Response.json({ objects: store.list(kind).filter(maySee) }),
    ),
    route("/styr/v1/objects/:kind/:key", context, (kind, maySee, { params }) => {
      const found = store.get(kind, params.key ?? "");
      if (found && maySee(found)) return Response.json(found);
      throw new ApiError("NotFound", `there is no ${kind.name} "${params.key}"`, { kind: kind.name });
    }),
  ];
}

type Answer = (kind: Kind, maySee: (object: StoredObject) => boolean, request: RequestContext) => Response;

function route(path: string, { kinds }: StyrApiContext, answer: Answer): Route {
  return {
    method: "GET",
    path,
    access: { verb: "read", resource: "objects", reach: "own part" },
    handle(_request, request) {
      const kind = kindNamed(kinds, request.params.kind ?? "");
      return answer(kind, maySeeOf(kind, request), request);
    },
  };
}

function kindNamed(kinds: readonly Kind[], wanted: string): Kind {
  const shown = kinds.filter(({ isHidden }) => !isHidden);
  const name = wanted.toLowerCase();
  const kind = shown.find((one) => one.name.toLowerCase() === name || `${one.name.toLowerCase()}s` === name);
  if (kind) return kind;
  const names = shown.map((one) => one.name).sort();
  throw new ApiError("NotFound", `there is no kind "${wanted}"; kinds are ${names.join(", ")}`);
}

/** Refuses who may see no object of the kind at all. */
function maySeeOf(kind: Kind, { actor, params }: RequestContext): (object: StoredObject) => boolean {
  const access: Access = {
    verb: kind.isSealed ? "write" : "read",
    resource: `${kind.name} objects`,
    reach: kind.namespaced ? "own part" : "whole cluster",
  };
  const maySee = (object: StoredObject) => authorize(actor, access, object.metadata.namespace);
  if (!authorize(actor, access) && !mayInSome(actor, access, kind)) throw new NotAllowed(actor, access, params);
  return maySee;
}

function mayInSome(actor: Actor, access: Access, { namespaced }: Kind): boolean {
  return namespaced && Object.keys(actor.rolesIn ?? {}).some((namespace) => authorize(actor, access, namespace));
}
