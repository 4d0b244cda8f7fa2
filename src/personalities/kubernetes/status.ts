/** Refusals in Kubernetes' words: the constructors that handlers use, and the Status object that says it to the client. */
import { ApiError, type FieldError, type RefusalReason } from "../../model/errors.ts";
import type { Kind } from "../../model/meta.ts";
import type { Log } from "../../seams/log.ts";
import { groupOf, kindOf, noMatches, SERVED, UNSERVED, withGroup } from "./served.ts";

/** What an error is about, spelled as Kubernetes spells it. */
export interface Named {
  readonly plural: string;
  readonly kind: Kind;
}

/** Kubernetes' name of a reason where it differs from ours. */
const REASON: Readonly<Partial<Record<RefusalReason, string>>> = {
  TooLarge: "RequestEntityTooLarge",
  ServerError: "InternalError",
  Unavailable: "ServiceUnavailable",
};

export function notFoundError({ plural }: Named, name: string): ApiError {
  return new ApiError("NotFound", `${withGroup(plural)} "${name}" not found`, { kind: plural, name });
}

export function alreadyExists({ plural }: Named, name: string): ApiError {
  return new ApiError("AlreadyExists", `${withGroup(plural)} "${name}" already exists`, { kind: plural, name });
}

export function conflict({ plural }: Named, name: string, why: string = MODIFIED): ApiError {
  return new ApiError("Conflict", `Operation cannot be fulfilled on ${withGroup(plural)} "${name}": ${why}`, {
    kind: plural,
    name,
  });
}

const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";

export function forbidden({ plural }: Named, name: string, why: string, causes: readonly FieldError[] = []): ApiError {
  return new ApiError("Forbidden", `${withGroup(plural)} "${name}" is forbidden: ${why}`, {
    kind: plural,
    name,
    causes,
  });
}

export function badRequest(message: string): ApiError {
  return new ApiError("BadRequest", message);
}

/** `Pod "x" is invalid: spec.containers[0].image: Required value`. Causes are capped: nobody reads ten thousand. */
export function invalid(kind: string, name: string, errors: readonly FieldError[]): ApiError {
  const causes = errors.slice(0, MOST_CAUSES);
  const texts = causes.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`));
  if (errors.length > causes.length) texts.push(`… and ${errors.length - causes.length} more`);
  const text = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  return new ApiError("Invalid", `${withGroup(kind)} "${name}" is invalid: ${text}`, { kind, name, causes });
}

const MOST_CAUSES = 50;

/** The body of a failure. */
export function statusOf(error: ApiError): object {
  const { subject, causes, retryAfterSeconds } = error;
  const fromStore = subject.kind !== undefined && error.reason !== "Invalid" ? SERVED[subject.kind]?.plural : undefined;
  const details = {
    ...(subject.name === undefined ? {} : { name: subject.name }),
    ...(subject.kind === undefined || groupOf(subject.kind) === "" ? {} : { group: groupOf(subject.kind) }),
    ...(subject.kind === undefined ? {} : { kind: fromStore ?? subject.kind }),
    ...(causes.length === 0
      ? {}
      : {
          causes: causes.map(({ reason, message, field }) => ({
            ...(reason === undefined ? {} : { reason }),
            message,
            ...(field === "" ? {} : { field }),
          })),
        }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: fromStore === undefined ? error.message : fromStoreMessage(error, fromStore),
    reason: REASON[error.reason] ?? error.reason,
    ...(Object.keys(details).length === 0 ? {} : { details }),
    code: error.status,
  };
}

/** The store's own refusals reach here only when two requests meet; they get the same words as ours. */
function fromStoreMessage(error: ApiError, resource: string): string {
  const name = error.subject.name ?? "";
  const plural = withGroup(resource);
  if (error.reason === "AlreadyExists") return `${plural} "${name}" already exists`;
  if (error.reason === "NotFound") return `${plural} "${name}" not found`;
  if (error.reason === "Conflict") return `Operation cannot be fulfilled on ${plural} "${name}": ${MODIFIED}`;
  return error.message;
}

/** Every failure of a handler as a Status. What is not a refusal is a bug: its words go to the log, not to the client. */
export function renderError(error: unknown, log: Log): Response {
  if (error instanceof ApiError) return renderRefusal(error);
  log.error("a request met a bug", { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  return renderRefusal(
    new ApiError("ServerError", "Internal error occurred: the server met a bug of its own; its log says more"),
  );
}

function renderRefusal(refusal: ApiError): Response {
  const headers: Record<string, string> = {};
  if (refusal.retryAfterSeconds !== undefined) headers["Retry-After"] = String(refusal.retryAfterSeconds);
  return Response.json(statusOf(refusal), { status: refusal.status, headers });
}

/** 405 for a known path; for kinds that are not served a Status that says which are; else what Go's mux says. */
export function notFound(request: Request, allowed: readonly string[]): Response {
  if (allowed.length > 0) {
    const refusal = new ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource");
    return Response.json(statusOf(refusal), { status: 405, headers: { Allow: allowed.join(", ") } });
  }
  const path = new URL(request.url).pathname;
  const [, version = "", rest = ""] = /^\/(?:api|apis\/[^/]+)\/([^/]+)\/(.+)$/.exec(path) ?? [];
  const group = path.startsWith("/apis/") ? `${path.split("/")[2]}/` : "";
  const plural = rest.replace(/^namespaces\/[^/]+\//, "").split("/", 1)[0] ?? "";
  const served = kindOf(plural);
  const isElsewhere = served !== undefined && SERVED[served]?.apiVersion !== group + version;
  const kind = isElsewhere ? served : Object.hasOwn(UNSERVED, plural) ? UNSERVED[plural] : undefined;
  if (kind) return renderRefusal(new ApiError("NotFound", noMatches(kind, group + version), { kind: plural }));
  return new Response("404 page not found\n", {
    status: 404,
    headers: { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" },
  });
}
