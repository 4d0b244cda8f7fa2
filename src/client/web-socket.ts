import type { WebSocket } from "ws";
import type { Connection } from "./connection.ts";
import { connectionProblem } from "./connection-problem.ts";
import { refusal } from "./styr-client.ts";

/** Begins to open a WebSocket on the server; `opened` says whether it was. The library is loaded with the first one. */
export async function beginSocket({ endpoint, said }: Connection, path: string, protocol: string): Promise<WebSocket> {
  const { WebSocket } = await import("ws");
  const base = endpoint.type === "unix" ? `ws+unix://${endpoint.path}:` : endpoint.url.origin.replace(/^http/, "ws");
  return new WebSocket(`${base}${path}`, [protocol], {
    headers: said,
    perMessageDeflate: false,
    ...(endpoint.type === "net" && endpoint.ca !== undefined ? { ca: endpoint.ca } : {}),
  });
}

/** Rejects with ClientError, in the server's words where it has some. */
export function opened(socket: WebSocket, { endpoint }: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", (error: NodeJS.ErrnoException) => reject(connectionProblem(error, endpoint)));
    socket.on("unexpected-response", (_request, response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => reject(refusal(response.statusCode ?? 0, Buffer.concat(chunks).toString())));
    });
  });
}
