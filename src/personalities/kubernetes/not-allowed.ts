import { NotAllowed } from "../../http/not-allowed.ts";
import { ApiError } from "../../model/errors.ts";
import { groupOf, withGroup } from "./served.ts";

const VERB: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

/**
 * 403 as kube-apiserver words it (apiserver/pkg/endpoints/handlers/responsewriters/errors.go), and beside it where the
 * user may. Anything else is left as it is.
 */
export function inKubernetesWords(error: unknown, request: Request): unknown {
  if (!(error instanceof NotAllowed)) return error;
  const { actor, access, namespace, elsewhere } = error;
  const { resource } = access;
  const { pathname, searchParams } = new URL(request.url);
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const hint = elsewhere.length === 0 ? "" : `; allowed in the namespaces: ${elsewhere.join(", ")}`;
  const verb = VERB[request.method] ?? reading(pathname, resource, searchParams);
  const message = `${withGroup(resource)} is forbidden: User "${actor}" cannot ${verb} resource "${resource}" in API group "${groupOf(resource)}" ${where}${hint}`;
  return new ApiError("Forbidden", message, { kind: resource });
}

function reading(pathname: string, resource: string, query: URLSearchParams): string {
  if (!pathname.endsWith(`/${resource}`)) return "get";
  return query.get("watch") === "true" || query.get("watch") === "1" ? "watch" : "list";
}
