/** A server with a store in memory and a CA of its own, behind the real listener, and hosts that join it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authorityRoutes } from "../../../src/api/authorities.ts";
import { certificateRoutes } from "../../../src/api/certificates.ts";
import type { StyrApiContext } from "../../../src/api/context.ts";
import { notFound, renderError } from "../../../src/api/errors.ts";
import { forgetRoutes } from "../../../src/api/forget.ts";
import { joinRoutes } from "../../../src/api/join.ts";
import type { Joining } from "../../../src/api/joining.ts";
import { tokenRoutes } from "../../../src/api/tokens.ts";
import { joinCluster } from "../../../src/app/join/join-cluster.ts";
import { type Listening, listenTls } from "../../../src/app/listen.ts";
import { type Membership, readMembership } from "../../../src/app/membership.ts";
import { openPki, type Pki } from "../../../src/app/pki.ts";
import { readSettings } from "../../../src/app/settings.ts";
import { beginTrust } from "../../../src/app/trust/server-trust.ts";
import type { Actor } from "../../../src/http/actor.ts";
import { type Mounted, mountApis, type Served } from "../../../src/http/mount.ts";
import { kernelKinds } from "../../../src/model/kinds.ts";
import type { NewJoinToken } from "../../../src/model/trust-reports.ts";
import { type Clock, SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SystemRandom } from "../../../src/seams/random.ts";
import { MemoryJournal } from "../../../src/store/journals/memory.ts";
import { Store } from "../../../src/store/store.ts";

/** Real time, moved: what a host or a server with a wrong clock has. */
export class ShiftedClock extends SystemClock {
  shiftMs = 0;

  override now(): number {
    return super.now() + this.shiftMs;
  }
}

export interface Stage {
  readonly folder: string;
  readonly url: string;
  readonly pki: Pki;
  readonly store: Store;
  readonly mounted: Mounted;
  /** What was asked, as the audit log hears of it. */
  readonly served: readonly Served[];
  readonly clock: ShiftedClock;
  /** A folder for one host. */
  host(name: string): string;
  token(wish?: {
    readonly role?: "agent" | "server";
    readonly ttlMs?: number;
    readonly uses?: number;
  }): Promise<string>;
  join(state: string, token: string, more?: JoinMore): Promise<Membership>;
  /** As that actor, without a socket. */
  as(actor: Actor, method: string, path: string, body?: unknown): Promise<Response>;
  close(): Promise<void>;
}

interface JoinMore {
  readonly nodeName?: string;
  readonly clock?: Clock;
  readonly url?: string;
  readonly version?: string;
}

export const ADMIN: Actor = { name: "anna", roles: ["admin"] };
export const VERSION = "0.1.0";

export async function openStage(
  more: { readonly storeKit?: Joining["storeKit"]; readonly at?: Clock } = {},
): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "styr-trust-"));
  const clock = new ShiftedClock();
  const random = new SystemRandom();
  const pki = await openPki(join(folder, "server"), clock.now(), { serverName: "srv" });
  const store = await Store.open({
    kinds: kernelKinds,
    journal: new MemoryJournal(),
    clock: more.at ?? clock,
    random,
    log: silentLog,
  });
  await beginTrust(store, pki.authority, random);
  const joining: Joining = { url: "https://127.0.0.1:1", ...(more.storeKit ? { storeKit: more.storeKit } : {}) };
  const context = { store, clock: more.at ?? clock, log: silentLog, version: VERSION, joining } as StyrApiContext;
  const api = { name: "styr", prefixes: ["/styr"], routes: routesOf(context), renderError, notFound };
  const served: Served[] = [];
  const mounted = mountApis([api], (one) => void served.push(one));
  const listening: Listening = await listenTls(mounted, pki, { host: "127.0.0.1", port: 0 });
  const as: Stage["as"] = (actor, method, path, body) =>
    mounted.handle(
      new Request(`https://localhost${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
      { actor, remoteAddress: "local", origin: "https://localhost" },
    );
  return {
    ...{ folder, pki, store, mounted, served, clock, as, url: listening.url },
    host: (name) => join(folder, name),
    token: async (wish = {}) => {
      const answer = await as(ADMIN, "POST", "/styr/v1/join-tokens", { role: "agent", ...wish });
      return ((await answer.json()) as NewJoinToken).token;
    },
    join: (state, token, given = {}) => joinOnce(state, given.url ?? listening.url, token, given),
    async close() {
      await listening.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function routesOf(context: StyrApiContext) {
  return [
    ...tokenRoutes(context),
    ...joinRoutes(context),
    ...certificateRoutes(context),
    ...authorityRoutes(context),
    ...forgetRoutes(context),
  ];
}

export function joinOnce(state: string, url: string, token: string, { nodeName, clock, version }: JoinMore = {}) {
  return joinCluster({
    settings: readSettings({ state, nodeName: nodeName ?? "web-1" }, {}, 0),
    ...{ url, token, version: version ?? VERSION, clock: clock ?? new SystemClock(), random: new SystemRandom() },
    signal: AbortSignal.timeout(20_000),
    say: () => {},
  });
}

export async function hasJoined(state: string): Promise<boolean> {
  return (await readMembership(state)) !== undefined;
}
