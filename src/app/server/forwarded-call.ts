import type { RequestContext } from "../../http/route.ts";
import { ORIGINAL_HEADER, renderOriginal } from "./original.ts";
import type { PeerCall } from "./peer-request.ts";

/** Of this connection alone, or proofs that are not to leave this server. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection", "expect"],
  ...["authorization", "proxy-authorization", "cookie", "content-length", ORIGINAL_HEADER],
]);

/** The request as the leader gets it: who asks stands in a header, instead of his proof. Bodies are bounded: limited-body.ts. */
export async function callOf(request: Request, context: RequestContext): Promise<PeerCall> {
  const { pathname, search } = context.url;
  const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined;
  return {
    method: request.method,
    path: `${pathname}${search}`,
    headers: { ...passedOnHeaders(request, context), ...(body ? { "content-length": String(body.byteLength) } : {}) },
    body,
  };
}

export function passedOnHeaders(request: Request, context: RequestContext): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) if (!NOT_PASSED_ON.has(name)) headers[name] = value;
  // As the client wrote it: links in answers are made of it.
  headers.host ??= context.url.host;
  headers[ORIGINAL_HEADER] = renderOriginal(context);
  return headers;
}
