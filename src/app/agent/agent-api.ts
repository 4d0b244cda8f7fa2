/** What an agent serves on its host's own socket: how it fares, its metrics. Everything else is for a server to answer. */
import type { Api } from "../../http/route.ts";
import type { Exposed } from "../../metrics/exposition.ts";
import type { AgentReport } from "../../model/agent-report.ts";
import { ApiError } from "../../model/errors.ts";

export interface AgentApiContext {
  report(): AgentReport;
  metrics(): Promise<Exposed>;
}

export function agentHostApi({ report, metrics }: AgentApiContext): Api {
  return {
    name: "styr-agent",
    prefixes: ["/styr/v1/agent", "/metrics"],
    routes: [
      {
        method: "GET",
        path: "/styr/v1/agent",
        access: { verb: "read", resource: "agent" },
        handle: () => Response.json(report()),
      },
      {
        method: "GET",
        path: "/metrics",
        access: { verb: "read", resource: "metrics" },
        async handle() {
          const { text, contentType } = await metrics();
          return new Response(text, { headers: { "Content-Type": contentType } });
        },
      },
    ],
    renderError: (error) =>
      error instanceof ApiError
        ? refusal(error.status, error.reason, error.message)
        : refusal(500, "ServerError", "an internal error"),
    notFound: () => refusal(405, "MethodNotAllowed", "GET only"),
  };
}

export function refusal(status: number, reason: string, message: string): Response {
  return Response.json({ message, error: { reason, message } }, { status });
}
