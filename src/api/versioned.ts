import type { Api, Route } from "../http/route.ts";
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
    renderError: (error, request) => marked(api.renderError(error, request)),
    notFound: (request, allowed) => marked(api.notFound(request, allowed)),
  };
}

function checked(route: Route, version: string, marked: (response: Response) => Response): Route {
  return {
    ...route,
    async handle(request, context) {
      const problem = skewProblem(version, request.headers.get(VERSION_HEADER) ?? undefined, "cli");
      if (problem !== undefined && route.path !== ALWAYS_ANSWERED) throw new ApiError("BadRequest", problem);
      return marked(await route.handle(request, context));
    },
  };
}
