/** Marathon's words for what goes wrong (specification 1.10). */
import { ApiError, type FieldError } from "../../model/errors.ts";

/** One broken rule; `field` as Marathon writes paths: `/constraints(0)`, the whole object is `/`. */
export type Violation = FieldError;

/** The request contradicts a rule: 422 with every rule it breaks. */
export function invalidObject(violations: readonly Violation[]): ApiError {
  return new ApiError("Invalid", "Object is not valid", { causes: violations });
}

/** The JSON has the wrong shape: 422 with Play's codes. */
export function invalidJson(violations: readonly Violation[]): ApiError {
  return new ApiError("Invalid", "Invalid JSON", { causes: violations });
}

/** The body is not JSON at all: 400 with the parser's words. */
export class UnreadableBody extends ApiError {
  readonly details: string;

  constructor(details: string) {
    super("BadRequest", "Invalid JSON");
    this.details = details;
  }
}

/** A deployment holds what the request wants to change: 409, and which. */
export class LockedError extends ApiError {
  readonly deployments: readonly string[];

  constructor(deployments: readonly string[]) {
    super(
      "Conflict",
      "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
    );
    this.deployments = deployments;
  }
}

export function noSuchApp(id: string, version?: string): ApiError {
  const suffix = version === undefined ? "" : ` in version ${version}`;
  return new ApiError("NotFound", `App '${id}' does not exist${suffix}`, { kind: "App", name: id });
}

export function noSuchTask(id: string): ApiError {
  return new ApiError("NotFound", `Task '${id}' does not exist`, { kind: "Task", name: id });
}

export function noSuchGroup(id: string): ApiError {
  return new ApiError("NotFound", `Group '${id}' does not exist`, { kind: "Group", name: id });
}

export function noSuchDeployment(id: string): ApiError {
  return new ApiError("NotFound", `DeploymentPlan ${id} does not exist`, { kind: "Deployment", name: id });
}

export function noSuchPod(id: string): ApiError {
  return new ApiError("NotFound", `Pod '${id}' does not exist`, { kind: "Pod", name: id });
}

/** A part of Marathon's API that is known and not served here. */
export function notSupported(what: string): ApiError {
  return new ApiError("Invalid", `${what} not supported here; see docs/compatibility.md`);
}

export function renderError(error: unknown): Response {
  if (!(error instanceof ApiError)) return answer(500, { message: "Internal server error" });
  const headers: Record<string, string> = {};
  if (error.reason === "Unauthorized") headers["WWW-Authenticate"] = 'Basic realm="Marathon: Username==Password"';
  if (error.retryAfterSeconds !== undefined) headers["Retry-After"] = String(error.retryAfterSeconds);
  return answer(error.status, bodyOf(error), headers);
}

/** Marathon answers an unknown path with 500 (its router rejects with InternalServerError), a wrong method with 405. */
export function renderNotFound(allowed: readonly string[]): Response {
  if (allowed.length === 0) return answer(500, { message: "URI not found" });
  const message = `HTTP method not allowed, supported methods: ${allowed.join(", ")}`;
  return answer(405, { message }, { Allow: allowed.join(", ") });
}

function bodyOf(error: ApiError): object {
  if (error instanceof LockedError) {
    return { message: error.message, deployments: error.deployments.map((id) => ({ id })) };
  }
  if (error instanceof UnreadableBody) return { message: error.message, details: error.details };
  if (error.causes.length === 0) return { message: error.message };
  const details = Map.groupBy(error.causes, ({ field }) => field)
    .entries()
    .map(([path, causes]) => ({ path, errors: causes.map(({ message }) => message) }));
  return { message: error.message, details: [...details] };
}

function answer(status: number, body: object, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers });
}
