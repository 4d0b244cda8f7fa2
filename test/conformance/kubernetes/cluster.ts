/** A control plane in memory: the Kubernetes API over a store, its controllers, and a node that runs what is bound to it. */

import type { ReplicationController as OfficialController, Pod as OfficialPod } from "kubernetes-types/core/v1.d.ts";
import { endpointSlicesController } from "../../../src/controllers/endpoint-slices/endpoint-slices-controller.ts";
import { endpointsController } from "../../../src/controllers/endpoints-controller.ts";
import { garbageCollector } from "../../../src/controllers/garbage-collector.ts";
import { namespaceController } from "../../../src/controllers/namespace.ts";
import { replicationController } from "../../../src/controllers/replication-controller.ts";
import { ControllerRunner } from "../../../src/controllers/runner.ts";
import type { Actor } from "../../../src/http/actor.ts";
import { mountApis } from "../../../src/http/mount.ts";
import { kernelKinds } from "../../../src/model/kinds.ts";
import { keyOf } from "../../../src/model/meta.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import { kubernetes } from "../../../src/personalities/kubernetes/index.ts";
import { rfc3339, SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { MemoryJournal } from "../../../src/store/journals/memory.ts";
import { Store } from "../../../src/store/store.ts";

const ADMIN: Actor = { name: "root", roles: ["admin"] };

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the server says.
  readonly body: any;
}

export interface Sending {
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly actor?: Actor;
  readonly signal?: AbortSignal;
}

export async function openCluster(options: { readonly historyLimit?: number; readonly controllers?: boolean } = {}) {
  const clock = new SystemClock();
  const random = new SeededRandom("kubernetes");
  const journal = new MemoryJournal();
  const { historyLimit } = options;
  const store = await Store.open({
    kinds: kernelKinds,
    journal,
    clock,
    random,
    log: silentLog,
    ...(historyLimit === undefined ? {} : { historyLimit }),
  });
  const api = kubernetes.api({ store, clock, random, log: silentLog, address: "127.0.0.1:7443", version: "0.1.0" });
  const mounted = mountApis([api]);
  const runner = new ControllerRunner({
    store,
    clock,
    random,
    log: silentLog,
    controllers: [
      replicationController,
      endpointsController,
      endpointSlicesController,
      garbageCollector(kernelKinds),
      namespaceController(kernelKinds),
    ],
  });
  if (options.controllers !== false) runner.start();

  const raw = (method: string, path: string, sending: Sending = {}): Promise<Response> => {
    const { body, type = "application/json", accept, actor = ADMIN, signal } = sending;
    const request = new Request(`http://styr${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": type }), ...(accept ? { accept } : {}) },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    return mounted.handle(request, { actor, remoteAddress: "127.0.0.1", origin: "http://styr" });
  };
  const send = async (method: string, path: string, sending: Sending = {}): Promise<Answer> => {
    const response = await raw(method, path, sending);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  };
  return {
    store,
    clock,
    journal,
    raw,
    get: (path: string, sending?: Sending) => send("GET", path, sending),
    post: (path: string, body: unknown, sending?: Sending) => send("POST", path, { ...sending, body }),
    put: (path: string, body: unknown, sending?: Sending) => send("PUT", path, { ...sending, body }),
    patch: (path: string, type: PatchType, body: unknown, sending?: Sending) =>
      send("PATCH", path, { ...sending, body, type: PATCH_TYPES[type] }),
    delete: (path: string, body?: unknown, sending?: Sending) =>
      send("DELETE", path, { ...sending, ...(body === undefined ? {} : { body }) }),
    send,
    settle: () => runner.settle(),
    kubelet: () => runPods(store),
    close: async () => {
      await runner.stop();
      await store.close();
    },
  };
}

export type Cluster = Awaited<ReturnType<typeof openCluster>>;

type PatchType = "json" | "merge" | "strategic" | "apply";
const PATCH_TYPES: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** One turn of a node "n1" that takes every pod: new ones run and are ready, those asked to go are gone. */
async function runPods(store: Store): Promise<void> {
  await store.update((tx) => {
    for (const pod of tx.list(pods)) {
      if (pod.metadata.deletionTimestamp !== undefined) tx.remove(pods, keyOf(pod));
      else if (pod.status.phase === "Pending") tx.update(pods, running(pod, tx.nowMs, tx.list(pods).indexOf(pod)));
    }
  });
}

function running(pod: Pod, nowMs: number, at: number): Pod {
  const since = rfc3339(nowMs);
  return {
    ...pod,
    spec: { ...pod.spec, nodeName: pod.spec.nodeName ?? "n1" },
    status: {
      ...pod.status,
      phase: "Running",
      podIP: `10.1.0.${at + 1}`,
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: since }],
    },
  };
}

/** The smallest pod that is accepted, as the official types have it. */
export function podNamed(name: string, more: object = {}, labels: Readonly<Record<string, string>> = {}): OfficialPod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, ...(Object.keys(labels).length > 0 ? { labels } : {}) },
    spec: { containers: [{ name: "main", image: "busybox:1" }], ...more },
  };
}

export function rcNamed(name: string, replicas: number, more: object = {}): OfficialController {
  return {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name },
    spec: {
      replicas,
      selector: { app: name },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "main", image: "busybox:1" }] },
      },
      ...more,
    },
  };
}
