/** Changes of users, as transactions. Each says in words why it refuses. */
import { ApiError } from "../model/errors.ts";
import { namespaces } from "../model/namespace.ts";
import { type Grant, type User, type UserToken, users } from "../model/user.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Reader, Tx } from "../store/transaction.ts";
import { hashSecret } from "../trust/token-text.ts";
import { isExpired } from "./user-tokens.ts";

const ROLES: readonly Grant["role"][] = ["admin", "operator", "viewer"];
/** What other ways in are called: in the audit log nobody else is. */
const TAKEN: readonly string[] = ["admin", "root", "loopback"];
const NAME = /^[a-z0-9](?:[a-z0-9._@+-]{0,126}[a-z0-9])?$/;
const MOST_GRANTS = 200;
const MOST_TOKENS = 100;
export const LONGEST_ABOUT = 300;

export function userNamed(reader: Reader, name: string): User {
  const user = reader.get(users, name);
  if (user) return user;
  throw new ApiError("NotFound", `there is no user "${name}"`, { kind: "User", name });
}

export function createUser(tx: Tx, name: string, grants: readonly Grant[], about: string | undefined): User {
  if (!NAME.test(name))
    throw new ApiError("BadRequest", `"${name}" cannot be a user's name: use a-z, 0-9, and ". _ @ + -" in between`);
  if (TAKEN.includes(name))
    throw new ApiError(
      "BadRequest",
      `"${name}" is what another way in is called (${TAKEN.join(", ")}); choose another`,
    );
  if (tx.get(users, name))
    throw new ApiError("AlreadyExists", `user "${name}" is there already`, { kind: "User", name });
  for (const grant of grants) checkGrant(tx, grant);
  return tx.create<User>(users, {
    apiVersion: users.apiVersion,
    kind: "User",
    metadata: { name },
    spec: { grants: distinct(grants), tokens: [], ...(about === undefined ? {} : { about }) },
  });
}

export function grant(tx: Tx, name: string, wanted: Grant): User {
  const user = userNamed(tx, name);
  checkGrant(tx, wanted);
  const grants = distinct([...user.spec.grants, wanted]);
  if (grants.length > MOST_GRANTS)
    throw new ApiError("BadRequest", `a user has at most ${MOST_GRANTS} grants; give a role in the whole cluster`);
  return tx.update<User>(users, { ...user, spec: { ...user.spec, grants } });
}

export function revokeGrant(tx: Tx, name: string, unwanted: Grant): User {
  const user = userNamed(tx, name);
  const grants = user.spec.grants.filter((one) => !isSame(one, unwanted));
  if (grants.length === user.spec.grants.length)
    throw new ApiError("NotFound", `"${name}" is not ${wordsOf(unwanted)}`, { kind: "User", name });
  return tx.update<User>(users, { ...user, spec: { ...user.spec, grants } });
}

export interface TokenWish {
  readonly id: string;
  readonly secret: string;
  /** Undefined: it does not expire. */
  readonly ttlMs: number | undefined;
  readonly about: string | undefined;
}

export function addToken(tx: Tx, name: string, { id, secret, ttlMs, about }: TokenWish): UserToken {
  const user = userNamed(tx, name);
  const token: UserToken = {
    id,
    secretHash: hashSecret(secret),
    madeAt: rfc3339(tx.nowMs),
    ...(ttlMs === undefined ? {} : { expiresAt: rfc3339(tx.nowMs + ttlMs) }),
    ...(about === undefined ? {} : { about }),
  };
  // Expired ones make room; until then they say that they are expired.
  const room = user.spec.tokens.length < MOST_TOKENS;
  const kept = room ? user.spec.tokens : user.spec.tokens.filter((one) => !isExpired(one, tx.nowMs));
  if (kept.length >= MOST_TOKENS)
    throw new ApiError("Conflict", `"${name}" has ${kept.length} tokens already; revoke one: styr user token list`);
  tx.update<User>(users, { ...user, spec: { ...user.spec, tokens: [...kept, token] } });
  return token;
}

export function revokeToken(tx: Tx, name: string, id: string): void {
  const user = userNamed(tx, name);
  const tokens = user.spec.tokens.filter((one) => one.id !== id);
  if (tokens.length === user.spec.tokens.length)
    throw new ApiError("NotFound", `"${name}" has no token "${id}"`, { kind: "User", name });
  tx.update<User>(users, { ...user, spec: { ...user.spec, tokens } });
}

/** A namespace that is not there is most likely mistyped, and a right in it would be worth nothing. */
function checkGrant(reader: Reader, { role, namespace }: Grant): void {
  if (!ROLES.includes(role)) throw new ApiError("BadRequest", `role must be one of: ${ROLES.join(", ")}`);
  if (namespace !== undefined && !reader.get(namespaces, namespace))
    throw new ApiError(
      "BadRequest",
      `there is no namespace "${namespace}"; make it first: styr apply -f FILE, with ${JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } })}`,
    );
}

function distinct(grants: readonly Grant[]): readonly Grant[] {
  return grants.filter((one, at) => grants.findIndex((other) => isSame(one, other)) === at);
}

function isSame(a: Grant, b: Grant): boolean {
  return a.role === b.role && a.namespace === b.namespace;
}

function wordsOf({ role, namespace }: Grant): string {
  return namespace === undefined ? `${role} in the whole cluster` : `${role} in namespace "${namespace}"`;
}
