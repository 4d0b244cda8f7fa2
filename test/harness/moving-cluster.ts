/** A store with the real scheduler and controllers on a clock that tests move, and nodes whose agents do what they are told. */

import { setCordoned } from "../../src/api/cordon.ts";
import { beginDrain, type DrainWish } from "../../src/api/drain.ts";
import type { Controller } from "../../src/controllers/controller.ts";
import { drainController } from "../../src/controllers/drain/drain-controller.ts";
import { replicationController } from "../../src/controllers/replication-controller.ts";
import { ControllerRunner } from "../../src/controllers/runner.ts";
import { type Mounted, mountApis } from "../../src/http/mount.ts";
import type { CopiesRule } from "../../src/model/copies.ts";
import { kernelKinds } from "../../src/model/kinds.ts";
import { controllerOf, type Draft, keyOf, type StoredObject } from "../../src/model/meta.ts";
import { type Node, nodes } from "../../src/model/node.ts";
import { nodeDrains } from "../../src/model/node-drain.ts";
import { isReady, type Pod, type PodSpec, pods } from "../../src/model/pod.ts";
import { type ReplicationController, replicationControllers } from "../../src/model/replication-controller.ts";
import type { Personality } from "../../src/personalities/personality.ts";
import { Scheduler } from "../../src/scheduling/scheduler.ts";
import { type TestNode, testNode } from "../../src/scheduling/test-objects.ts";
import { rfc3339 } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { ManualClock } from "../../src/seams/manual-clock.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { Store } from "../../src/store/store.ts";

/** From being bound to being ready, and from being asked to stop to having stopped. */
const START_MS = 1_000;
const STOP_MS = 1_000;

export interface MovingOptions {
  readonly nodes: readonly TestNode[];
  readonly copies?: readonly CopiesRule[];
  readonly personalities?: readonly Personality[];
  readonly more?: (scheduler: Scheduler) => readonly Controller[];
  readonly journal?: MemoryJournal;
  readonly clock?: ManualClock;
}

export interface Workload {
  readonly name: string;
  readonly replicas: number;
  readonly namespace?: string;
  readonly spec?: Partial<PodSpec>;
  readonly cpu?: string;
}

export class MovingCluster {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly journal: MemoryJournal;
  readonly scheduler: Scheduler;
  /** Pods that never become ready, by the beginning of their name or by their node. */
  readonly broken = new Set<string>();
  /** Fewest ready copies of each controller seen at any moment, since it was last asked. */
  readonly fewestReady = new Map<string, number>();
  readonly #mounted: Mounted;
  readonly #runner: ControllerRunner;
  readonly #cancel = new AbortController();
  readonly #running: Promise<unknown>;

  static async open(options: MovingOptions): Promise<MovingCluster> {
    const clock = options.clock ?? new ManualClock();
    // A seed of its own for each start, as uids must not come back.
    const random = new SeededRandom(`moving ${clock.now()}`);
    const journal = options.journal ?? new MemoryJournal();
    const store = await Store.open({ kinds: kindsOf(options), journal, clock, random, log: silentLog });
    await store.update((tx) => {
      for (const node of options.nodes) if (!tx.get(nodes, node.name)) tx.create<Node>(nodes, draft(testNode(node)));
    });
    const cluster = new MovingCluster(options, store, clock, journal);
    await clock.settle();
    return cluster;
  }

  private constructor(options: MovingOptions, store: Store, clock: ManualClock, journal: MemoryJournal) {
    const { copies = [], personalities = [], more } = options;
    const random = new SeededRandom(`runner ${clock.now()}`);
    this.store = store;
    this.clock = clock;
    this.journal = journal;
    this.scheduler = new Scheduler({ store, clock, random, log: silentLog });
    const context = { store, clock, random, log: silentLog, address: "127.0.0.1:7443", version: "0.0.0" };
    const elsewhere = (pod: Pod, stopsFirst: boolean) => this.scheduler.successorOf(pod, stopsFirst);
    const rules = [...copies, ...personalities.flatMap((personality) => personality.copies ?? [])];
    const controllers = [
      replicationController,
      drainController({ copies: rules, elsewhere, clock }),
      ...personalities.flatMap((personality) => personality.controllers(context)),
      ...(more?.(this.scheduler) ?? []),
    ];
    this.#mounted = mountApis(personalities.map((personality) => personality.api(context)));
    this.#runner = new ControllerRunner({ store, controllers, clock, random, log: silentLog });
    this.#runner.start();
    this.scheduler.start();
    this.#running = this.#pretend();
  }

  /** As a crash would: what is in the journal is all there is. */
  async close(): Promise<void> {
    this.#cancel.abort();
    await this.#running;
    await this.#runner.stop();
    await this.scheduler.stop();
    await this.store.close();
  }

  async run({ name, replicas, namespace = "default", spec = {}, cpu = "100m" }: Workload): Promise<void> {
    const labels = { app: name };
    const containers = [{ name: "main", image: "busybox", resources: { requests: { cpu } } }];
    await this.store.update((tx) =>
      tx.create<ReplicationController>(replicationControllers, {
        apiVersion: "v1",
        kind: "ReplicationController",
        metadata: { name, namespace },
        spec: { replicas, selector: labels, template: { metadata: { labels }, spec: { containers, ...spec } } },
        status: { replicas: 0 },
      }),
    );
    await this.advance(5_000);
    this.fewestReady.clear();
  }

  async scale(name: string, replicas: number): Promise<void> {
    await this.store.update((tx) => {
      const rc = tx.get(replicationControllers, `default/${name}`) as ReplicationController;
      tx.update(replicationControllers, { ...rc, spec: { ...rc.spec, replicas } });
    });
  }

  /** A request in a dialect's own words, by somebody who may do everything. */
  async ask(method: string, path: string, body: unknown): Promise<void> {
    const headers = { "Content-Type": "application/json" };
    const request = new Request(`http://styr${path}`, { method, headers, body: JSON.stringify(body) });
    const actor = { name: "alice", roles: ["admin"] } as const;
    const connection = { actor, remoteAddress: "127.0.0.1", origin: "http://styr" };
    const response = await this.#mounted.handle(request, connection);
    if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    await this.advance(5_000);
  }

  /** A pod that nobody keeps. */
  async pod(name: string, node: string): Promise<void> {
    await this.store.update((tx) =>
      tx.create<Pod>(pods, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "default" },
        spec: { containers: [{ name: "main", image: "busybox" }], nodeName: node },
        status: { phase: "Pending" },
      }),
    );
    await this.advance(3_000);
  }

  async drain(node: string, wish: DrainWish = {}): Promise<void> {
    await this.store.update((tx) => void beginDrain(tx, node, wish, "alice"));
    await this.clock.settle();
  }

  async uncordon(node: string): Promise<void> {
    await setCordoned(this.store, node, false, "alice");
    await this.clock.settle();
  }

  async setNode(name: string, change: (node: Node) => Node): Promise<void> {
    await this.store.update((tx) => void tx.update(nodes, change(tx.get(nodes, name) as Node)));
    await this.clock.settle();
  }

  /** In small steps, so that what happens in between is seen. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) await this.clock.advance(Math.min(100, left));
  }

  /** Lets time pass until something is so; says what was missing when it does not come. */
  async until(what: string, isSo: () => boolean, limitMs = 120_000): Promise<void> {
    for (let waited = 0; !isSo(); waited += 100) {
      if (waited > limitMs) throw new Error(`${limitMs / 1000} s of virtual time in vain: ${what}\n${this.#view()}`);
      await this.clock.advance(100);
    }
  }

  phaseOf(node: string): string | undefined {
    return this.store.get(nodeDrains, node)?.status.phase;
  }

  rowsOf(node: string): readonly string[] {
    const rows = this.store.get(nodeDrains, node)?.status.pods ?? [];
    return rows.map(({ workload, state, reason }) => `${workload} ${state}: ${reason}`);
  }

  on(node: string): readonly Pod[] {
    return this.store.by(pods, "node", node);
  }

  copiesOf(name: string): readonly Pod[] {
    return this.store.list(pods).filter((pod) => controllerOf(pod)?.name === name);
  }

  nodesOf(name: string): readonly string[] {
    return this.copiesOf(name)
      .map(({ spec }) => spec.nodeName ?? "-")
      .sort();
  }

  /** Every agent at once: starts what is bound, takes away what was asked to stop. */
  async #pretend(): Promise<void> {
    const seen = new Set<string>();
    const look = (pod: Pod) => {
      const { uid, deletionTimestamp } = pod.metadata;
      const leaving = deletionTimestamp !== undefined;
      if (pod.spec.nodeName === undefined || seen.has(`${uid} ${leaving}`)) return;
      seen.add(`${uid} ${leaving}`);
      this.clock.setTimer(leaving ? STOP_MS : START_MS, () => void this.#report(keyOf(pod), uid, leaving));
    };
    const since = this.store.revision;
    for (const pod of this.store.list(pods)) look(pod);
    for await (const changes of this.store.watch({ kinds: [pods], since, signal: this.#cancel.signal })) {
      for (const { type, object } of changes) if (type !== "removed") look(object as Pod);
      this.#count();
    }
  }

  async #report(key: string, uid: string, leaving: boolean): Promise<void> {
    if (this.#cancel.signal.aborted) return;
    await this.store.update((tx) => {
      const pod = tx.get(pods, key);
      if (!pod || pod.metadata.uid !== uid) return;
      if (leaving) tx.remove(pods, key);
      else if (!this.#isBroken(pod)) tx.update(pods, started(pod, tx.nowMs));
    });
  }

  #isBroken({ metadata, spec }: Pod): boolean {
    return [...this.broken].some((word) => metadata.name.startsWith(word) || spec.nodeName === word);
  }

  #count(): void {
    for (const { metadata } of this.store.list(replicationControllers)) {
      const ready = this.copiesOf(metadata.name)
        .filter(isReady)
        .filter((pod) => !pod.metadata.deletionTimestamp);
      const before = this.fewestReady.get(metadata.name) ?? Number.POSITIVE_INFINITY;
      this.fewestReady.set(metadata.name, Math.min(before, ready.length));
    }
  }

  #view(): string {
    const lines = this.store.list(pods).map((pod) => {
      const { conditions = [], phase } = pod.status;
      const words = conditions.map(({ type, status, reason }) => `${type}=${status}${reason ? `(${reason})` : ""}`);
      return `${keyOf(pod)} ${pod.spec.nodeName ?? "-"} ${phase} ${pod.metadata.deletionTimestamp ? "going " : ""}${words.join(" ")}`;
    });
    const drains = this.store
      .list(nodeDrains)
      .flatMap(({ metadata }) => [metadata.name, ...this.rowsOf(metadata.name)]);
    return [...lines, ...drains].join("\n");
  }
}

function kindsOf({ personalities = [] }: MovingOptions) {
  return [...kernelKinds, ...personalities.flatMap(({ kinds }) => kinds)];
}

function started(pod: Pod, nowMs: number): Pod {
  const others = (pod.status.conditions ?? []).filter(({ type }) => type !== "Ready");
  const ready = { type: "Ready", status: "True", lastTransitionTime: rfc3339(nowMs) } as const;
  const state = { running: { startedAt: rfc3339(nowMs) } };
  const containerStatuses = pod.spec.containers.map(({ name, image = "", unit }) => ({
    ...{ name, image, imageID: "", ready: true, restartCount: 0, state },
    ...(unit ? { unit: { load: "loaded", active: "active", sub: "running" } as const } : {}),
  }));
  return { ...pod, status: { ...pod.status, phase: "Running", conditions: [...others, ready], containerStatuses } };
}

function draft<T extends StoredObject>(object: T): Draft<T> {
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as Draft<T>;
}
