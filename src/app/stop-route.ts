import type { Api } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { TakenDown } from "./styr-process.ts";

/**
 * POST /styr/v1/stop: what Ctrl-C does, for whoever is not at that terminal. Everything that runs goes on running; with `?for=down` it is about
 * to be taken away, which the cluster hears first.
 */
export function stopApi(stop: (why?: TakenDown) => void): Api {
  const path = "/styr/v1/stop";
  const refuse = (status: number, message: string) => Response.json({ error: message }, { status });
  return {
    name: "styr-process",
    prefixes: [path],
    routes: [
      {
        method: "POST",
        path,
        access: { verb: "admin", resource: "process" },
        here: true,
        handle({ url }) {
          stop(new URL(url).searchParams.get("for") === "down" ? new TakenDown() : undefined);
          return Response.json({ pid: process.pid }, { status: 202 });
        },
      },
    ],
    renderError: (error) =>
      error instanceof ApiError ? refuse(error.status, error.message) : refuse(500, "internal error"),
    notFound: (_request, allowed) => refuse(allowed.length > 0 ? 405 : 404, `${path} takes POST`),
  };
}
