import { ApiError } from "../model/errors.ts";
import type { ErrorReport } from "../model/reports.ts";

/** `{"error": {"reason", "message", "causes"?}}`. A bug says no more than that it is one. */
export function renderError(error: unknown): Response {
  if (!(error instanceof ApiError)) {
    return errorResponse(500, {
      reason: "ServerError",
      message: "an internal error; the server's log has the details",
    });
  }
  const retryAfter = error.retryAfterSeconds;
  const headers = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
  const causes = error.causes.map(({ field, message }) => ({ field, message }));
  const report = { reason: error.reason, message: error.message, ...(causes.length > 0 ? { causes } : {}) };
  return errorResponse(error.status, report, headers);
}

export function notFound(request: Request, allowed: readonly string[]): Response {
  const { pathname } = new URL(request.url);
  if (allowed.length === 0) return errorResponse(404, { reason: "NotFound", message: `there is no ${pathname}` });
  const message = `${request.method} is not possible on ${pathname}; possible: ${allowed.join(", ")}`;
  return errorResponse(405, { reason: "MethodNotAllowed", message }, { Allow: allowed.join(", ") });
}

function errorResponse(status: number, error: ErrorReport, headers: Record<string, string> = {}): Response {
  return Response.json({ error }, { status, headers });
}
