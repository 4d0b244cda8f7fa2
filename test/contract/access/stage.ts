/** A whole control plane in memory, asked by anybody: what listeners find out is given. */
import { adminTokenApi } from "../../../src/app/admin-token-route.ts";
import { ControlPlane } from "../../../src/app/control-plane.ts";
import { personalities } from "../../../src/app/personalities.ts";
import type { ControlPlaneOptions } from "../../../src/app/server/plane-options.ts";
import { stopApi } from "../../../src/app/stop-route.ts";
import type { Actor } from "../../../src/http/actor.ts";
import type { Connection } from "../../../src/http/connection.ts";
import { namespaces } from "../../../src/model/namespace.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SystemRandom } from "../../../src/seams/random.ts";
import { MemoryJournal } from "../../../src/store/journals/memory.ts";
import { echoAccess } from "../../cli/server.ts";

export const ADMIN: Actor = { name: "root", roles: ["admin"] };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the server says.
  readonly body: any;
}

export type As = Actor | { readonly bearer: string } | undefined;

export async function openStage(more: Partial<ControlPlaneOptions> = {}) {
  const clock = new SystemClock();
  const plane = await ControlPlane.open({
    ...{ journal: new MemoryJournal(), clock, random: new SystemRandom(), log: silentLog, personalities },
    ...{ strategy: "spread", hostname: "here", version: "0.1.0", address: "here:1", nodeAccess: echoAccess },
    moreApis: [stopApi(() => {}), adminTokenApi(async () => "another")],
    ...more,
  });
  const connect = (as: As, from: Partial<Connection> = {}): Connection => ({
    remoteAddress: "192.0.2.7",
    origin: "https://here:1",
    ...(as !== undefined && "bearer" in as ? { actor: undefined, bearer: as.bearer } : { actor: as }),
    ...from,
  });
  const raw = (as: As, method: string, path: string, body?: unknown, from: Partial<Connection> = {}, init = {}) => {
    const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const headers = { "Content-Type": "application/json" };
    return plane.mounted.handle(
      new Request(`https://here:1${path}`, { method, headers, ...sent, ...init }),
      connect(as, from),
    );
  };
  const ask = async (...args: Parameters<typeof raw>): Promise<Answer> => {
    const response = await raw(...args);
    const text = await response.text();
    const isJson = response.headers.get("Content-Type")?.includes("json") === true && text !== "";
    const body = isJson && !response.headers.get("Content-Type")?.includes("ndjson") ? JSON.parse(text) : undefined;
    return { status: response.status, headers: response.headers, text, body };
  };
  return {
    plane,
    store: plane.store,
    raw,
    ask,
    connect,
    namespace: async (name: string) => {
      await plane.store.update((tx) =>
        tx.create(namespaces, {
          ...{ apiVersion: "v1", kind: "Namespace" as const, metadata: { name } },
          ...{ spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" as const } },
        }),
      );
    },
    /** A user with these grants, and a token of it. */
    user: async (name: string, grants: readonly object[], more: object = {}) => {
      const made = await ask(ADMIN, "POST", "/styr/v1/users", { name, grants });
      if (made.status !== 201) throw new Error(made.text);
      const token = await ask(ADMIN, "POST", `/styr/v1/users/${name}/tokens`, more);
      return { bearer: token.body.token as string, id: token.body.id as string };
    },
    close: () => plane.stop(),
  };
}

export type Stage = Awaited<ReturnType<typeof openStage>>;
