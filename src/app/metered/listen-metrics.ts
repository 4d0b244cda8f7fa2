/** `--metrics HOST:PORT`: GET /metrics and nothing else, in plain HTTP and for everybody who reaches it. Off unless asked for. */
import { createServer, type ServerResponse } from "node:http";
import type { Mounted } from "../../http/mount.ts";
import type { Exposed } from "../../metrics/exposition.ts";
import type { Log } from "../../seams/log.ts";
import { bind, closed, type Listening } from "../listen.ts";

const LIMITS = { maxHeaderSize: 8 * 1024, requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 65_000 };
const MOST_CONNECTIONS = 64;

export async function listenMetrics(
  at: { readonly host: string; readonly port: number },
  read: () => Promise<Exposed>,
  log: Log,
): Promise<Listening> {
  const server = createServer(LIMITS, (request, response) => {
    if (request.url?.split("?")[0] !== "/metrics") return say(response, 404, "only /metrics is here\n");
    if (request.method !== "GET" && request.method !== "HEAD") return say(response, 405, "GET only\n");
    read().then(
      ({ text, contentType }) => say(response, 200, text, contentType),
      (error: Error) => {
        log.warn("metrics could not be read", { error: error.message });
        say(response, 503, "metrics could not be read; the log says why\n");
      },
    );
  });
  server.maxConnections = MOST_CONNECTIONS;
  const port = await bind(server, at);
  return { url: `http://${at.host}:${port}/metrics`, close: () => closed(server) };
}

/** What GET /metrics of these routes says to whoever may read. */
export async function metricsOf(mounted: Pick<Mounted, "handle">): Promise<Exposed> {
  const actor = { name: "metrics", roles: ["viewer"] } as const;
  const connection = { actor, remoteAddress: "", origin: "http://localhost" };
  const response = await mounted.handle(new Request("http://localhost/metrics"), connection);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return { text, contentType: response.headers.get("Content-Type") ?? "text/plain" };
}

function say(response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}
