import type { Api, Route, SocketRoute } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { skewProblem, VERSION_HEADER } from "../model/version-skew.ts";

/** Asked by a command that wants to know how far apart it is: answered to everybody. */
const ALWAYS_ANSWERED = "/styr/v1/version";

/**
 * The same API, which says its version in every answer and refuses a `styr` that is too far from it, before anything is
 * done. Foreign clients say no version and are asked for none.
 */
export function versioned(api: Api, version: string): Api {
  const marked = (response: Response) => {
    response.headers.set(VERSION_HEADER, version);
    return response;
  };
  return {
    ...api,
    routes: api.routes.map((route) => checked(route, version, marked)),
    ...(api.sockets ? { sockets: api.sockets.map((route) => checkedSocket(route, version)) } : {}),
    renderError: (error, request) => marked(api.renderError(error, request)),
    notFound: (request, allowed) => marked(api.notFound(request, allowed)),
  };
}

/** What is no WebSocket for people, such as the link of an agent, says no such header: it has a check of its own. */
function checkedSocket(route: SocketRoute, version: string): SocketRoute {
  return {
    ...route,
    async open(request, context) {
      refuseFar(request, version);
      return route.open(request, context);
    },
  };
}

function refuseFar({ headers }: Request, version: string): void {
  const problem = skewProblem(version, headers.get(VERSION_HEADER) ?? undefined, "cli");
  if (problem !== undefined) throw new ApiError("BadRequest", problem);
}

function checked(route: Route, version: string, marked: (response: Response) => Response): Route {
  return {
    ...route,
    async handle(request, context) {
      if (route.path !== ALWAYS_ANSWERED) refuseFar(request, version);
      return marked(await route.handle(request, context));
    },
  };
}
