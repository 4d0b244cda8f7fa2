/** /styr/v1/users: who may ask for what, and their tokens; for admins of the whole cluster. /styr/v1/whoami is for everybody. */
import type { RequestContext, Route } from "../http/route.ts";
import { CLUSTER_TRUST_NAME, clusterTrusts } from "../model/cluster-trust.ts";
import { ApiError } from "../model/errors.ts";
import { servers } from "../model/server.ts";
import { type Grant, type User, type UserToken, users } from "../model/user.ts";
import type { NewUserToken, UserReport, UserTokenReport, WhoAmIReport } from "../model/user-reports.ts";
import type { Tx } from "../store/transaction.ts";
import { newSecret, newTokenId } from "../trust/token-text.ts";
import { addToken, createUser, grant, LONGEST_ABOUT, revokeGrant, revokeToken, userNamed } from "./change-user.ts";
import type { StyrApiContext } from "./context.ts";
import { type Options, optionsOf, wholeNumber } from "./request-options.ts";
import { formatUserToken, isExpired } from "./user-tokens.ts";

const PATH = "/styr/v1/users";
const DAY_MS = 86_400_000;
/** A token that is forgotten somewhere should not be good for ever. */
const USUAL_TTL_MS = 90 * DAY_MS;
const MOST_TTL_MS = 3650 * DAY_MS;

type Handle = (request: Request, context: RequestContext) => Promise<Response> | Response;

export function userRoutes(context: StyrApiContext): readonly Route[] {
  return [whoAmI, ...readingRoutes(context), ...changingRoutes(context), ...tokenRoutes(context)];
}

function admin(method: Route["method"], path: string, handle: Handle): Route {
  return { method, path: PATH + path, access: { verb: "admin", resource: "users" }, handle };
}

function readingRoutes({ store, clock }: StyrApiContext): readonly Route[] {
  const report = (user: User) => reportOf(user, clock.now());
  return [
    admin("GET", "", () => Response.json({ users: store.list(users).map(report) })),
    admin("GET", "/:name", (_request, at) => Response.json(report(userNamed(store, nameOf(at))))),
  ];
}

function changingRoutes({ store, clock }: StyrApiContext): readonly Route[] {
  const changed = async (change: (tx: Tx) => User, status = 200) =>
    Response.json(reportOf(await store.update(change), clock.now()), { status });
  return [
    admin("POST", "", async (request) => {
      const options = await optionsOf(request, ["name", "grants", "about"]);
      const name = textOf(options, "name", 128) ?? "";
      return changed((tx) => createUser(tx, name, grantsOf(options.grants), aboutOf(options)), 201);
    }),
    admin("DELETE", "/:name", async (_request, at) => {
      await store.update((tx) => void tx.remove(users, userNamed(tx, nameOf(at)).metadata.name));
      return new Response(null, { status: 204 });
    }),
    admin("PUT", "/:name/grants/:role", (_request, at) => changed((tx) => grant(tx, nameOf(at), grantIn(at)))),
    admin("DELETE", "/:name/grants/:role", (_request, at) => changed((tx) => revokeGrant(tx, nameOf(at), grantIn(at)))),
  ];
}

function tokenRoutes(context: StyrApiContext): readonly Route[] {
  return [
    admin("POST", "/:name/tokens", async (request, at) => {
      const options = await optionsOf(request, ["ttlMs", "about"]);
      const made = await makeToken(context, nameOf(at), options, at.origin);
      return Response.json(made, { status: 201, headers: { "Cache-Control": "no-store" } });
    }),
    admin("DELETE", "/:name/tokens/:id", async (_request, at) => {
      await context.store.update((tx) => revokeToken(tx, nameOf(at), at.params.id ?? ""));
      return new Response(null, { status: 204 });
    }),
  ];
}

function nameOf({ params }: RequestContext): string {
  return params.name ?? "";
}

const whoAmI: Route = {
  method: "GET",
  path: "/styr/v1/whoami",
  access: { verb: "self", resource: "users" },
  here: true,
  handle: (_request, { actor: { name, roles, rolesIn = {} } }) =>
    Response.json({ name, roles, rolesIn } satisfies WhoAmIReport),
};

async function makeToken(
  { store }: StyrApiContext,
  name: string,
  options: Options,
  origin: string,
): Promise<NewUserToken> {
  const about = aboutOf(options);
  const ttlMs =
    options.ttlMs === null ? undefined : (wholeNumber(options, "ttlMs", 1000, MOST_TTL_MS).ttlMs ?? USUAL_TTL_MS);
  const [id, secret] = [newTokenId(), newSecret()];
  const { expiresAt } = await store.update((tx) => addToken(tx, name, { id, secret, ttlMs, about }));
  const authorities = store.get(clusterTrusts, CLUSTER_TRUST_NAME)?.spec.authorities;
  const known = store.list(servers).map(({ spec }) => spec.url);
  return {
    ...{ user: name, id, token: formatUserToken(id, secret) },
    ...(expiresAt === undefined ? {} : { expiresAt }),
    servers: known.length > 0 ? known : origin.startsWith("https:") ? [origin] : [],
    ...(authorities ? { caPem: authorities.map(({ certPem }) => certPem).join("") } : {}),
  };
}

/** Role in the path, namespace in the query; without one the whole cluster. What is no role is refused with the roles. */
function grantIn({ params, url }: RequestContext): Grant {
  const namespace = url.searchParams.get("namespace");
  const role = params.role as Grant["role"];
  return namespace === null ? { role } : { role, namespace };
}

function grantsOf(value: unknown): readonly Grant[] {
  const problem = new ApiError("BadRequest", 'grants must be a list such as [{"role": "viewer", "namespace": "shop"}]');
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw problem;
  return value.map((one: unknown) => {
    const { role, namespace, ...more } = (one ?? {}) as Record<string, unknown>;
    const isSound = typeof role === "string" && (namespace === undefined || typeof namespace === "string");
    if (!isSound || Object.keys(more).length > 0) throw problem;
    return { role, ...(namespace === undefined ? {} : { namespace }) } as Grant;
  });
}

function aboutOf(options: Options): string | undefined {
  return textOf(options, "about", LONGEST_ABOUT);
}

function textOf(options: Options, name: string, most: number): string | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.length <= most) return value;
  throw new ApiError("BadRequest", `${name} must be a text of at most ${most} characters`);
}

function reportOf({ metadata, spec }: User, nowMs: number): UserReport {
  const { about, grants, tokens } = spec;
  return {
    name: metadata.name,
    ...(about === undefined ? {} : { about }),
    grants,
    tokens: tokens.map((token) => tokenReport(token, nowMs)),
    createdAt: metadata.creationTimestamp,
  };
}

function tokenReport(token: UserToken, nowMs: number): UserTokenReport {
  const { secretHash: _kept, ...shown } = token;
  return { ...shown, isExpired: isExpired(token, nowMs) };
}
