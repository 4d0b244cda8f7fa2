import type { RouteEntry } from "../network.ts";
import { parseHost, parsePath } from "./host-and-path.ts";
import { optionProblem } from "./option-problem.ts";
import { openProblem } from "./protection.ts";

/** Why a route cannot be served, in words. Asked where routes are shown, and again where they are written into a configuration. */
export function routeProblem(route: RouteEntry): string | undefined {
  const { options = {}, tls, unguarded } = route;
  const problem = placeProblem(route);
  if (problem !== undefined) return problem;
  if (tls && "file" in tls && !/^\/[A-Za-z0-9._/@+-]+$/.test(tls.file))
    return `${JSON.stringify(tls.file)} is no absolute path of a certificate`;
  return optionProblem(options) ?? openProblem(unguarded);
}

/** Why nothing can be reached at its host and path. */
export function placeProblem({ host, path, pathType }: RouteEntry): string | undefined {
  const [parsedHost, parsedPath] = [parseHost(host), parsePath(path, pathType)];
  if ("problem" in parsedHost) return parsedHost.problem;
  if ("problem" in parsedPath) return parsedPath.problem;
  if (parsedHost.host !== host || parsedPath.path !== path) return "its host or path is not written as it should be";
  return undefined;
}
