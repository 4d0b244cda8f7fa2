/** A store with nodes that beat or are silent, for tests of the lifecycle: no agents, no scheduler; pods are written as bound. */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import { CLUSTER_SETTINGS_NAME, type ClusterSettings, clusterSettings } from "../../model/cluster-settings.ts";
import { type Event, events } from "../../model/event.ts";
import type { Goodbye, HeartbeatAnswer, NodeHealth } from "../../model/heartbeat.ts";
import { kernelKinds } from "../../model/kinds.ts";
import { type Node, nodes } from "../../model/node.ts";
import { type Condition, type Pod, type PodSpec, pods } from "../../model/pod.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { SeededRandom } from "../../seams/random.ts";
import { deletePod } from "../../store/delete-pod.ts";
import type { Journal } from "../../store/journal.ts";
import { MemoryJournal } from "../../store/journals/memory.ts";
import { Store } from "../../store/store.ts";
import { NodeLifecycle } from "./node-lifecycle.ts";

export interface TestNode {
  readonly name: string;
  readonly zone?: string;
}

interface Voice {
  silent: boolean;
  boot: number;
  session: number;
  sequence: number;
  health: NodeHealth;
}

export interface ClusterOptions {
  readonly nodes: readonly (string | TestNode)[];
  readonly settings?: Partial<ClusterSettingsSpec>;
  readonly journal?: Journal;
  /** Changes that the store looks back on. */
  readonly historyLimit?: number;
}

export class TestCluster {
  readonly clock: ManualClock;
  readonly answers = new Map<string, HeartbeatAnswer>();
  readonly #voices = new Map<string, Voice>();
  readonly #journal: Journal;
  #store: Store;
  #lifecycle: NodeLifecycle;

  static async open(options: ClusterOptions): Promise<TestCluster> {
    const { nodes: wanted, settings, journal = new MemoryJournal(), historyLimit } = options;
    const clock = new ManualClock();
    const cluster = new TestCluster(clock, journal, await openStore(clock, journal, historyLimit));
    for (const one of wanted) await cluster.addNode(typeof one === "string" ? { name: one } : one);
    await cluster.set({ startGraceMs: 0, ...settings });
    cluster.#lifecycle.start();
    cluster.#beatAll();
    await cluster.advance(1_000);
    return cluster;
  }

  private constructor(clock: ManualClock, journal: Journal, store: Store) {
    this.clock = clock;
    this.#journal = journal;
    this.#store = store;
    this.#lifecycle = new NodeLifecycle({ store, clock, log: silentLog });
  }

  get store(): Store {
    return this.#store;
  }

  get lifecycle(): NodeLifecycle {
    return this.#lifecycle;
  }

  /** The control plane ends and begins again on what was durable. Nodes go on, unheard meanwhile. */
  async restart(): Promise<void> {
    await this.close();
    this.#store = await openStore(this.clock, this.#journal);
    this.#lifecycle = new NodeLifecycle({ store: this.#store, clock: this.clock, log: silentLog });
    this.#lifecycle.start();
    await this.clock.settle();
  }

  async close(): Promise<void> {
    await this.#lifecycle.stop();
    await this.#store.close();
  }

  /** Lets time pass; every node that is not silent beats once a second. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      await this.clock.advance(Math.min(1_000, left));
      if (left >= 1_000) this.#beatAll();
      await this.clock.settle();
    }
  }

  silence(...names: readonly string[]): void {
    for (const name of names) this.#voice(name).silent = true;
  }

  /** `rebooted`: with a new boot id, and so with a new agent. */
  async back(name: string, rebooted = false): Promise<HeartbeatAnswer> {
    const voice = this.#voice(name);
    voice.silent = false;
    if (rebooted) {
      voice.boot++;
      voice.session++;
      voice.sequence = 0;
    }
    const answer = this.beat(name);
    await this.clock.settle();
    await this.clock.advance(0);
    return answer;
  }

  beat(name: string, sequence?: number): HeartbeatAnswer {
    const voice = this.#voice(name);
    const { boot, session, health } = voice;
    const message = health === "ok" ? {} : { message: `its ${health}` };
    const beat = { node: name, bootId: `boot-${boot}`, session: `${name}-${session}`, health, ...message };
    const answer = this.lifecycle.beat({ ...beat, sequence: sequence ?? ++voice.sequence });
    this.answers.set(name, answer);
    return answer;
  }

  goodbye(name: string, why: Goodbye["why"] = "reboot"): void {
    void this.lifecycle.goodbye({ node: name, session: `${name}-${this.#voice(name).session}`, why });
    this.silence(name);
  }

  say(name: string, health: NodeHealth): void {
    this.#voice(name).health = health;
  }

  async addNode({ name, zone }: TestNode): Promise<void> {
    await this.#store.update((tx) => tx.create<Node>(nodes, nodeDraft(name, zone)));
  }

  async set(spec: Partial<ClusterSettingsSpec>): Promise<void> {
    await this.#store.update((tx) => {
      const before = tx.get(clusterSettings, CLUSTER_SETTINGS_NAME);
      if (before) return void tx.update(clusterSettings, { ...before, spec: { ...before.spec, ...spec } });
      const { apiVersion } = clusterSettings;
      tx.create<ClusterSettings>(clusterSettings, {
        apiVersion,
        kind: "ClusterSettings",
        metadata: { name: CLUSTER_SETTINGS_NAME },
        spec,
      });
    });
    await this.clock.settle();
  }

  /** A ready pod of workload `owner` (none: its own). */
  async run(name: string, node: string, options: { readonly owner?: string; readonly spec?: Partial<PodSpec> } = {}) {
    const { owner = "web", spec } = options;
    await this.#store.update((tx) => tx.create<Pod>(pods, podDraft(name, node, owner, spec)));
    await this.clock.settle();
  }

  /** As its agent reports it. */
  async report(name: string, condition: Condition = { type: "Ready", status: "True" }): Promise<void> {
    await this.#store.update((tx) => {
      const pod = tx.get(pods, `default/${name}`);
      if (!pod) return;
      const others = (pod.status.conditions ?? []).filter(({ type }) => type !== "Ready");
      tx.update(pods, { ...pod, status: { ...pod.status, conditions: [...others, condition] } });
    });
    await this.clock.settle();
    await this.clock.advance(0);
  }

  async delete(name: string, graceSeconds = 5): Promise<void> {
    await this.#store.update((tx) => {
      const pod = tx.get(pods, `default/${name}`);
      if (pod) deletePod(tx, pod, graceSeconds);
    });
    await this.clock.settle();
  }

  node(name: string): Node {
    const found = this.#store.get(nodes, name);
    if (!found) throw new Error(`there is no node ${name}`);
    return found;
  }

  pod(name: string): Pod | undefined {
    return this.#store.get(pods, `default/${name}`);
  }

  /** `status reason` of a node's or pod's condition; "" when it has none. */
  condition(of: Node | Pod | undefined, type: string): string {
    const found = of?.status.conditions?.find((one) => one.type === type);
    return found ? `${found.status} ${found.reason ?? ""}`.trim() : "";
  }

  disruption(name: string): string {
    return this.condition(this.pod(name), "DisruptionTarget");
  }

  /** Names of the pods that are to be replaced because their node is lost. */
  get lost(): readonly string[] {
    const all = this.#store.list(pods).map(({ metadata }) => metadata.name);
    return all.filter((name) => this.disruption(name) === "True NodeUnreachable");
  }

  events(reason: string): readonly Event[] {
    return this.#store.list(events).filter((event) => event.reason === reason);
  }

  #beatAll(): void {
    for (const [name, { silent }] of this.#voices) if (!silent) this.beat(name);
    for (const { metadata } of this.#store.list(nodes)) if (!this.#voices.has(metadata.name)) this.beat(metadata.name);
  }

  #voice(name: string): Voice {
    const known = this.#voices.get(name);
    if (known) return known;
    const made: Voice = { silent: false, boot: 1, session: 1, sequence: 0, health: "ok" };
    this.#voices.set(name, made);
    return made;
  }
}

function openStore(clock: ManualClock, journal: Journal, historyLimit?: number): Promise<Store> {
  const random = new SeededRandom("lifecycle");
  const limit = historyLimit === undefined ? {} : { historyLimit };
  return Store.open({ kinds: kernelKinds, journal, clock, random, log: silentLog, ...limit });
}

function nodeDraft(name: string, zone: string | undefined) {
  const amounts = { cpu: "4", memory: "8Gi", pods: "110" };
  return {
    apiVersion: "v1",
    kind: "Node" as const,
    metadata: { name, labels: zone === undefined ? {} : { [NODE_LABEL.zone]: zone } },
    spec: {},
    status: {
      capacity: amounts,
      allocatable: amounts,
      conditions: [{ type: "Ready", status: "True" as const, reason: "AgentReady" }],
      addresses: [],
      nodeInfo: {
        machineID: name,
        bootID: "boot-1",
        kernelVersion: "",
        osImage: "",
        architecture: "amd64",
        operatingSystem: "linux",
        containerRuntimeVersion: "",
        kubeletVersion: "",
      },
      drivers: {},
      dynamicPorts: [31000, 32000] as const,
    },
  };
}

function podDraft(name: string, nodeName: string, owner: string, spec: Partial<PodSpec> = {}) {
  const reference = { apiVersion: "v1", kind: "ReplicationController", name: owner, uid: owner, controller: true };
  return {
    apiVersion: "v1",
    kind: "Pod" as const,
    metadata: { name, namespace: "default", ...(owner === "" ? {} : { ownerReferences: [reference] }) },
    spec: { containers: [{ name: "main", image: "busybox" }], nodeName, ...spec },
    status: { phase: "Running" as const, conditions: [{ type: "Ready", status: "True" as const }] },
  };
}
