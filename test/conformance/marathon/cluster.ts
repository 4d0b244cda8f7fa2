/** Marathon's part of a control plane in one process, with a node that does as it is told. */
import { ControllerRunner } from "../../../src/controllers/runner.ts";
import type { Role } from "../../../src/http/actor.ts";
import { mountApis } from "../../../src/http/mount.ts";
import { kernelKinds } from "../../../src/model/kinds.ts";
import { keyOf } from "../../../src/model/meta.ts";
import { type Node, nodes } from "../../../src/model/node.ts";
import {
  type ContainerStatus,
  type HealthResult,
  isTerminal,
  type Pod,
  type PodStatus,
  pods,
} from "../../../src/model/pod.ts";
import type { WorkloadSource } from "../../../src/model/workload.ts";
import { marathon } from "../../../src/personalities/marathon/index.ts";
import { apps } from "../../../src/personalities/marathon/kinds.ts";
import { rfc3339, SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { MemoryJournal } from "../../../src/store/journals/memory.ts";
import { Store } from "../../../src/store/store.ts";

const DEADLINE_MS = 5000;
const NODE = "n1";

/** A clock whose wall time can be put forward; timers run by the real one. */
export class ShiftedClock extends SystemClock {
  #shiftMs = 0;

  override now(): number {
    return super.now() + this.#shiftMs;
  }

  forward(ms: number): void {
    this.#shiftMs += ms;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are what the tests are about
  readonly body: any;
}

export class Cluster {
  readonly store: Store;
  readonly random: SeededRandom;
  readonly clock: ShiftedClock;
  readonly #runner: ControllerRunner;
  readonly #mounted: ReturnType<typeof mountApis>;
  readonly #workloads: WorkloadSource;
  #nextPort = 31000;

  static async open(journal = new MemoryJournal(), seed = "marathon"): Promise<Cluster> {
    const clock = new ShiftedClock();
    const random = new SeededRandom(seed);
    const kinds = [...kernelKinds, ...marathon.kinds];
    const store = await Store.open({ kinds, journal, clock, random, log: silentLog });
    return new Cluster(store, clock, random);
  }

  private constructor(store: Store, clock: ShiftedClock, random: SeededRandom) {
    this.store = store;
    this.clock = clock;
    this.random = random;
    const context = { store, clock, random, log: silentLog, address: "127.0.0.1:7443", version: "0.1.0" };
    this.#runner = new ControllerRunner({
      store,
      clock,
      random,
      log: silentLog,
      controllers: marathon.controllers(context),
    });
    this.#mounted = mountApis([marathon.api(context)]);
    const workloads = marathon.workloads?.(context);
    if (!workloads) throw new Error("Marathon lists its workloads");
    this.#workloads = workloads;
    this.#runner.start();
  }

  async close(): Promise<void> {
    await this.#runner.stop();
    await this.store.close();
  }

  /** Sends a request as an operator. `body` that is text goes as it is. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    options: { roles?: readonly Role[]; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const response = await this.respond(method, path, body, options);
    const text = await response.text();
    const isJson = response.headers.get("Content-Type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : undefined,
    };
  }

  async respond(
    method: string,
    path: string,
    body?: unknown,
    options: { roles?: readonly Role[]; headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const request = new Request(`http://marathon.test:8080${path}`, {
      method,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(options.headers ? { headers: options.headers } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    return this.#mounted.handle(request, {
      actor: { name: "test", roles: options.roles ?? ["operator"] },
      remoteAddress: "127.0.0.1",
      origin: "http://marathon.test:8080",
    });
  }

  settle(): Promise<void> {
    return this.#runner.settle();
  }

  pods(appId?: string): readonly Pod[] {
    const all = this.store.list(pods, "marathon");
    return appId === undefined
      ? all
      : all.filter(({ metadata }) => metadata.annotations?.["styrmann.dev/workload"] === appId);
  }

  live(appId?: string): readonly Pod[] {
    return this.pods(appId).filter((pod) => !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined);
  }

  /** Waits until `claim` holds after everything due was reconciled; says what was missing otherwise. */
  async until(what: string, claim: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      await this.settle();
      if (await claim()) return;
      if (performance.now() > deadline) throw new Error(`still missing after ${DEADLINE_MS} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async addNode(name = NODE, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.store.update((tx) => void tx.create<Node>(nodes, nodeDraft(name, labels)));
  }

  /** Binds what waits, with dynamic ports drawn; like the scheduler, without its doubts. */
  async bind(pod: Pod, nodeName = NODE): Promise<void> {
    await this.store.update((tx) => {
      const present = tx.get(pods, keyOf(pod));
      if (!present || present.spec.nodeName !== undefined) return;
      const containers = present.spec.containers.map((container) => ({
        ...container,
        ports: (container.ports ?? []).map((port) =>
          port.dynamicHostPort && port.hostPort === undefined ? { ...port, hostPort: this.#nextPort++ } : port,
        ),
      }));
      tx.update(pods, { ...present, spec: { ...present.spec, containers, nodeName } });
    });
  }

  async run(pod: Pod, health: readonly HealthResult[] = []): Promise<void> {
    await this.bind(pod);
    const startedAt = rfc3339(this.clock.now());
    await this.setStatus(pod, (spec) => ({
      phase: "Running",
      hostIP: "10.0.0.1",
      ...(spec.hostNetwork ? {} : { podIP: "172.20.0.5" }),
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [containerStatus({ running: { startedAt } }, health)],
    }));
  }

  async end(pod: Pod, exitCode: number, reason = exitCode === 0 ? "Completed" : "Error"): Promise<void> {
    const finishedAt = rfc3339(this.clock.now());
    await this.setStatus(pod, () => ({
      phase: exitCode === 0 ? "Succeeded" : "Failed",
      containerStatuses: [containerStatus({ terminated: { exitCode, reason, finishedAt } })],
    }));
  }

  /** What the scheduler writes beside a pod that no node takes. */
  async refuse(pod: Pod, message: string): Promise<void> {
    const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
    await this.setStatus(pod, () => ({ phase: "Pending", reason: "Unschedulable", message, conditions: [condition] }));
  }

  async remove(pod: Pod): Promise<void> {
    await this.store.update((tx) => tx.remove(pods, keyOf(pod)));
  }

  /** Timers run by the real clock; after putting wall time forward this lets the app's controller look again. */
  async nudge(appId: string): Promise<void> {
    await this.store.update((tx) => {
      const [app] = tx.list(apps).filter(({ spec }) => spec.definition.id === appId);
      if (app) tx.update(apps, { ...app, metadata: { ...app.metadata, annotations: { nudged: String(tx.nowMs) } } });
    });
  }

  workloads() {
    return this.#workloads.list(this.store);
  }

  async setStatus(pod: Pod, status: (spec: Pod["spec"]) => PodStatus): Promise<void> {
    await this.store.update((tx) => {
      const present = tx.get(pods, keyOf(pod));
      if (present) tx.update(pods, { ...present, status: status(present.spec) });
    });
  }

  /** One round of a node that obeys: starts what waits, takes away what was asked to go. */
  async obey(): Promise<void> {
    await this.settle();
    for (const pod of this.pods()) {
      if (pod.metadata.deletionTimestamp !== undefined) await this.store.update((tx) => tx.remove(pods, keyOf(pod)));
      else if (pod.status.phase === "Pending") await this.run(pod, healthy(pod));
    }
    await this.settle();
  }

  /** Obeys until nothing is being deployed. */
  async converge(): Promise<void> {
    await this.until("deployments to end", async () => {
      await this.obey();
      return (await this.call("GET", "/v2/deployments")).body.length === 0;
    });
  }
}

/** A good result for each check of the pod. */
function healthy(pod: Pod): readonly HealthResult[] {
  return (pod.spec.containers[0]?.healthChecks ?? []).map(() => ({
    alive: true,
    consecutiveFailures: 0,
    firstSuccess: "2020-01-01T00:00:00.000Z",
    lastSuccess: "2020-01-01T00:00:00.000Z",
  }));
}

export function containerStatus(
  state: ContainerStatus["state"],
  healthResults: readonly HealthResult[] = [],
): ContainerStatus {
  return {
    name: "app",
    state,
    ready: state.running !== undefined,
    restartCount: 0,
    image: "",
    imageID: "",
    healthResults,
  };
}

function nodeDraft(name: string, labels: Readonly<Record<string, string>>) {
  return {
    apiVersion: "v1",
    kind: "Node" as const,
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: {},
    status: {
      capacity: { cpu: "4", memory: "8Gi", pods: "110" },
      allocatable: { cpu: "4", memory: "8Gi", "ephemeral-storage": "10Gi", pods: "110" },
      conditions: [{ type: "Ready", status: "True" as const }],
      addresses: [{ type: "InternalIP" as const, address: "10.0.0.1" }],
      nodeInfo: {
        machineID: name,
        bootID: "b",
        kernelVersion: "",
        osImage: "",
        architecture: "amd64",
        operatingSystem: "linux",
        containerRuntimeVersion: "",
        kubeletVersion: "",
      },
      drivers: { docker: { ready: true }, process: { ready: true } },
      dynamicPorts: [31000, 32000] as const,
    },
  };
}
