/** GET /styr/v1/audit: who did what, from the audit log of the server that leads; `/here` of the one that is asked. */
import type { RequestContext, Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import type { AuditEntry } from "../model/user-reports.ts";
import type { AuditReader } from "./audit-reader.ts";
import type { StyrApiContext } from "./context.ts";
import { endsWith, jsonLines } from "./json-lines.ts";
import { jsonList } from "./json-list.ts";

const PATH = "/styr/v1/audit";
const USUAL_LIMIT = 1000;
const MOST = 10_000;
/** Lines looked at for one answer: a rare actor is not searched for through everything. */
const MOST_LOOKED_AT = 500_000;

interface Asked {
  readonly sinceMs: number;
  readonly limit: number;
  readonly isMeant: (entry: AuditEntry) => boolean;
}

export function auditRoutes(context: StyrApiContext): readonly Route[] {
  const access = { verb: "admin", resource: "audit" } as const;
  const handle = (_request: Request, request: RequestContext) => answer(context, request);
  return [
    { method: "GET", path: PATH, access, atLeader: true, handle },
    { method: "GET", path: `${PATH}/here`, access, here: true, handle },
  ];
}

async function answer({ audit, clock }: StyrApiContext, { url, signal }: RequestContext): Promise<Response> {
  if (!audit) throw new ApiError("NotFound", "this server keeps no audit log");
  const asked = askedIn(url.searchParams);
  if (url.searchParams.get("follow") !== "true")
    return jsonList("entries", await newestOf(audit.entries(), asked), clock);
  const cancel = endsWith(signal);
  return jsonLines(following(audit, asked, cancel.signal), cancel);
}

/** Nothing between what was and what comes is missed; what is written meanwhile may come twice. */
async function* following(audit: AuditReader, asked: Asked, signal: AbortSignal): AsyncGenerator<AuditEntry> {
  const coming = audit.follow(signal);
  const past = await newestOf(audit.entries(), asked);
  yield* past.toReversed();
  for await (const entry of coming) if (asked.isMeant(entry)) yield entry;
}

async function newestOf(entries: AsyncIterable<AuditEntry>, { sinceMs, limit, isMeant }: Asked) {
  const found: AuditEntry[] = [];
  let looked = 0;
  for await (const entry of entries) {
    if (Date.parse(entry.time) < sinceMs || ++looked > MOST_LOOKED_AT) break;
    if (isMeant(entry)) found.push(entry);
    if (found.length >= limit) break;
  }
  return found;
}

function askedIn(query: URLSearchParams): Asked {
  const actor = query.get("actor");
  const result = query.get("result");
  return {
    sinceMs: whole(query, "sinceMs") ?? 0,
    limit: Math.min(MOST, whole(query, "limit") ?? USUAL_LIMIT),
    isMeant: (entry) => (actor === null || entry.actor === actor) && (result === null || entry.result === result),
  };
}

function whole(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new ApiError("BadRequest", `${name} must be a whole number, not "${text}"`);
  return Number(text);
}
