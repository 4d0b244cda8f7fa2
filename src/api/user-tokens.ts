/** Tokens of people and programs: `styr-u.ID.SECRET`. The id finds the user, the secret's hash proves it; the secret itself is kept nowhere. */
import type { Actor, Role } from "../http/actor.ts";
import type { TokenDesk } from "../http/front-desk.ts";
import { ApiError } from "../model/errors.ts";
import { type User, type UserToken, users } from "../model/user.ts";
import type { Clock } from "../seams/clock.ts";
import type { Reader } from "../store/transaction.ts";
import { isSecretOf } from "../trust/token-text.ts";

const TOKEN = /^styr-u\.([a-z0-9]{4,32})\.([\w-]{32})$/;

export function formatUserToken(id: string, secret: string): string {
  return `styr-u.${id}.${secret}`;
}

/** Looks into the store, which followers have too: a token that is made or revoked counts from the next request on. */
export class UserTokens implements TokenDesk {
  readonly #store: Reader;
  readonly #clock: Pick<Clock, "now">;

  constructor(store: Reader, clock: Pick<Clock, "now">) {
    this.#store = store;
    this.#clock = clock;
  }

  actorOf(text: string): Actor | undefined {
    const found = this.#find(text);
    if (!found) return undefined;
    const { user, token } = found;
    if (isExpired(token, this.#clock.now())) throw expired(user, token);
    return actorOfUser(user);
  }

  endOf(text: string): number | undefined {
    const expiresAt = this.#find(text)?.token.expiresAt;
    return expiresAt === undefined ? undefined : Date.parse(expiresAt);
  }

  #find(text: string): { readonly user: User; readonly token: UserToken } | undefined {
    const [, id, secret] = TOKEN.exec(text) ?? [];
    if (id === undefined || secret === undefined) return undefined;
    const [user] = this.#store.by(users, "token", id);
    const token = user?.spec.tokens.find((one) => one.id === id);
    return user && token && isSecretOf(secret, token.secretHash) ? { user, token } : undefined;
  }
}

export function isExpired({ expiresAt }: UserToken, nowMs: number): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= nowMs;
}

/** Said only to who has the whole token: it was theirs. */
function expired({ metadata: { name } }: User, { id, expiresAt }: UserToken): ApiError {
  return new ApiError(
    "Unauthorized",
    `Unauthorized: token ${id} of "${name}" expired at ${expiresAt}; an admin makes a new one: styr user token create ${name}`,
  );
}

export function actorOfUser({ metadata: { name }, spec: { grants } }: User): Actor {
  const roles = grants.flatMap(({ role, namespace }) => (namespace === undefined ? [role] : []));
  const rolesIn: Record<string, Role[]> = Object.create(null);
  for (const { role, namespace } of grants) {
    if (namespace !== undefined) rolesIn[namespace] = [...(rolesIn[namespace] ?? []), role];
  }
  return { name, roles, rolesIn };
}
