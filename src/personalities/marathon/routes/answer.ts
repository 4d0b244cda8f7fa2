import type { RequestContext } from "../../../http/route.ts";
import { ApiError } from "../../../model/errors.ts";
import type { DeployResult } from "../deploy.ts";
import { LEADER_HEADER } from "./leader-header.ts";

/** What every answer of a leader carries. */
export function answer(body: unknown, { origin }: RequestContext, more: ResponseInit = {}): Response {
  const headers = new Headers(more.headers);
  headers.set(LEADER_HEADER, origin);
  headers.set("Cache-Control", "no-cache, no-store, must-revalidate");
  if (body === undefined) return new Response(null, { ...more, headers });
  return Response.json(body, { ...more, headers });
}

/** `{"version","deploymentId"}` with the deployment's id as a header too. */
export function deploymentAnswer(
  { version, deploymentId, warnings }: DeployResult,
  context: RequestContext,
  more: { readonly status?: number; readonly location?: string } = {},
): Response {
  const headers: Record<string, string> = { "Marathon-Deployment-Id": deploymentId };
  if (more.location !== undefined) headers.Location = more.location;
  const said = withWarnings(headers, warnings);
  return answer({ version, deploymentId }, context, { status: more.status ?? 200, headers: said });
}

const MOST_WARNINGS = 20;

/** RFC 7234: a quoted string; what a header cannot carry is left out. */
export function withWarnings(headers: Readonly<Record<string, string>>, warnings: readonly string[] = []): Headers {
  const all = new Headers(headers);
  for (const text of warnings.slice(0, MOST_WARNINGS)) {
    const safe = text.slice(0, 400).replace(/[^\x20-\x7e]/g, "?");
    all.append("Warning", `299 - "${safe.replace(/[\\"]/g, "\\$&")}"`);
  }
  return all;
}

/** Booleans in any case: Python's clients send `True` and `False`. */
export function flag({ url }: RequestContext, name: string, byDefault: boolean): boolean {
  const value = url.searchParams.get(name)?.toLowerCase();
  if (value === undefined) return byDefault;
  if (value === "true" || value === "") return true;
  if (value === "false") return false;
  throw new ApiError(
    "BadRequest",
    `The query parameter '${name}' was malformed: '${value}' is not a valid Boolean value`,
  );
}
