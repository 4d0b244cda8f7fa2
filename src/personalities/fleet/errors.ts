import { ApiError } from "../../model/errors.ts";

/** fleet's error body (specs 3). The message may be empty, and is then there all the same. */
export function errorResponse(status: number, message: string, version: string): Response {
  return json({ error: { code: status, message } }, version, status);
}

export function renderFailure(error: unknown, version: string): Response {
  if (!(error instanceof ApiError)) return errorResponse(500, "", version);
  const response = errorResponse(error.status, error.message, version);
  if (error.retryAfterSeconds !== undefined) response.headers.set("Retry-After", String(error.retryAfterSeconds));
  return response;
}

export function json(body: unknown, version: string, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", Server: `fleetd/${version}` },
  });
}

/** 201 and 204 of units have neither body nor content type. */
export function empty(status: 201 | 204, version: string, more: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status, headers: { Server: `fleetd/${version}`, ...more } });
}
