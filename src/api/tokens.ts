/** /styr/v1/join-tokens: what lets hosts join. The secret is said once, in the answer that makes it, and kept nowhere. */
import type { Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { type JoinToken, joinTokens } from "../model/join-token.ts";
import type { JoinTokenReport, NewJoinToken } from "../model/trust-reports.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Tx } from "../store/transaction.ts";
import { signerOf } from "../trust/authorities.ts";
import { keyHashOf } from "../trust/key-hash.ts";
import { formatJoinToken, hashSecret, newSecret, newTokenId } from "../trust/token-text.ts";
import type { StyrApiContext } from "./context.ts";
import { serverUrls, trustOf } from "./joining.ts";
import { type Options, optionsOf, wholeNumber } from "./request-options.ts";
import { untilTrusted } from "./until-trusted.ts";

const PATH = "/styr/v1/join-tokens";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MOST_TTL_MS = 30 * DAY_MS;
const MOST_USES = 1000;
/** So long a host that brings a token that is over is told why. */
const REMEMBERED_MS = 30 * DAY_MS;

export function tokenRoutes(context: StyrApiContext): readonly Route[] {
  const { store, clock } = context;
  const access = { verb: "admin", resource: "join-tokens" } as const;
  return [
    {
      method: "GET",
      path: PATH,
      access,
      handle: () => Response.json({ tokens: store.list(joinTokens).map((one) => reportOf(one, clock.now())) }),
    },
    {
      method: "POST",
      path: PATH,
      access,
      async handle(request, { actor, signal }) {
        const options = await optionsOf(request, ["role", "ttlMs", "uses"]);
        await untilTrusted(store, clock, signal);
        return Response.json(await createToken(context, options, actor.name), { status: 201 });
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/:id`,
      access,
      async handle(_request, { params }) {
        await store.update((tx) => revoke(tx, params.id ?? ""));
        return new Response(null, { status: 204 });
      },
    },
  ];
}

async function createToken(context: StyrApiContext, options: Options, madeBy: string): Promise<NewJoinToken> {
  const { role } = options;
  if (role !== "agent" && role !== "server") throw new ApiError("BadRequest", 'role must be "agent" or "server"');
  const { ttlMs = HOUR_MS } = wholeNumber(options, "ttlMs", 1000, MOST_TTL_MS);
  const { uses = 1 } = wholeNumber(options, "uses", 1, MOST_USES);
  const { joining } = context;
  if (!joining) throw new ApiError("Unavailable", "no host can join at this server: it has no address for others");
  if (role === "server" && !joining.storeKit) throw new ApiError("Conflict", ONE_SERVER);
  const [id, secret] = [newTokenId(), newSecret()];
  return context.store.update((tx) => {
    forgetOld(tx);
    const pin = keyHashOf(signerOf(trustOf(tx).spec).certPem);
    const expiresAt = rfc3339(tx.nowMs + ttlMs);
    const token = tx.create<JoinToken>(joinTokens, {
      apiVersion: joinTokens.apiVersion,
      kind: "JoinToken",
      metadata: { name: id },
      spec: { role, secretHash: hashSecret(secret), expiresAt, uses, madeBy, used: [] },
    });
    const text = formatJoinToken({ role, id, secret, pin });
    return { ...reportOf(token, tx.nowMs), token: text, servers: serverUrls(tx, joining) };
  });
}

const ONE_SERVER =
  "this cluster's store is a file of one server, and a second server could not read it; move it to etcd first: styr store migrate (docs/operations.md)";

function revoke(tx: Tx, id: string): void {
  const token = tx.get(joinTokens, id);
  if (!token) throw new ApiError("NotFound", `there is no join token "${id}"`, { kind: "JoinToken", name: id });
  if (token.spec.revokedAt !== undefined) return;
  tx.update<JoinToken>(joinTokens, { ...token, spec: { ...token.spec, revokedAt: rfc3339(tx.nowMs) } });
}

function forgetOld(tx: Tx): void {
  for (const { metadata, spec } of tx.list(joinTokens)) {
    if (tx.nowMs - Date.parse(spec.expiresAt) > REMEMBERED_MS) tx.remove(joinTokens, metadata.name);
  }
}

function reportOf({ metadata, spec }: JoinToken, nowMs: number): JoinTokenReport {
  const { role, expiresAt, uses, madeBy, used } = spec;
  const usedBy = [...new Set(used.map(({ host }) => host))].sort();
  return { id: metadata.name, role, state: stateOf(spec, nowMs), expiresAt, uses, usedBy, madeBy };
}

function stateOf({ revokedAt, expiresAt, uses, used }: JoinToken["spec"], nowMs: number): JoinTokenReport["state"] {
  if (revokedAt !== undefined) return "revoked";
  if (used.length >= uses) return "used up";
  return Date.parse(expiresAt) <= nowMs ? "expired" : "good";
}
