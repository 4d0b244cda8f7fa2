/** A cell as large as asked for: how long it takes to place everything and to heal after the loss of a zone, and what that costs. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ControlPlane } from "../../../app/control-plane.ts";
import { LateNodeAccess } from "../../../app/late-node-access.ts";
import { personalities } from "../../../app/personalities.ts";
import { CLUSTER_SETTINGS_NAME, type ClusterSettings, clusterSettings } from "../../../model/cluster-settings.ts";
import { isDisrupted } from "../../../model/disruption.ts";
import type { Draft } from "../../../model/meta.ts";
import { isReady, type Pod, pods } from "../../../model/pod.ts";
import type { Clock } from "../../../seams/clock.ts";
import { silentLog } from "../../../seams/log.ts";
import { SeededRandom } from "../../../seams/random.ts";
import { MemoryJournal } from "../../../store/journals/memory.ts";
import type { Change } from "../../../store/transaction.ts";
import { evenCluster } from "../../draw/cluster.ts";
import { HostTime, ProcessClock } from "../../sim-clock.ts";
import { Life, SimTime } from "../../sim-time.ts";
import { replicated } from "../workloads.ts";
import { followPods } from "./follow-pods.ts";
import { LightAgents } from "./light-agents.ts";

export interface CellOptions {
  readonly nodes: number;
  readonly pods: number;
  readonly seed: number;
  /** Pods moved per second, in all; default: the product's. */
  readonly movesPerSecond?: number;
}

export interface Phase {
  readonly name: string;
  readonly virtualMs: number;
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly note: string;
}

export interface CellReport {
  readonly options: CellOptions;
  readonly phases: readonly Phase[];
}

const ZONES = 4;
const GIB = 2 ** 30;
const ORIGIN = "https://styrmann.test:7443";
/** Copies of one workload. */
const COPIES = 500;
/** Nothing may move for so long while a zone is away. */
const BRAKE_MS = 60_000;
const PATIENCE_MS = 8 * 3_600_000;

/** Fills a cell, takes a zone of four away, lets a person release the brake, and gives the zone back. Rejects when something is not as promised. */
export async function runCell(options: CellOptions, say: (line: string) => void): Promise<CellReport> {
  const cell = await Cell.open(options);
  const phases: Phase[] = [];
  const step = async (name: string, work: () => Promise<string>) => {
    const phase = await cell.measure(name, work);
    phases.push(phase);
    say(`${name}: ${seconds(phase.virtualMs)} of virtual time, ${seconds(phase.cpuMs)} of CPU. ${phase.note}`);
  };
  await step("nodes register", () => cell.register());
  await step("place everything", () => cell.fill());
  await step("a quiet minute", () => cell.rest(60_000));
  await step("a zone is lost, the brake holds", () => cell.loseZone());
  await step("the brake is released, healed", () => cell.heal());
  await step("the zone returns, the surplus goes", () => cell.rejoin());
  await cell.close();
  return { options, phases };
}

/** So that the heap after a phase is what is in use, not what has not been swept yet. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

class Cell {
  readonly #options: CellOptions;
  readonly #time: SimTime;
  readonly #clock: Clock;
  readonly #plane: ControlPlane;
  readonly #agents: LightAgents;
  readonly #lost: readonly string[];
  readonly #counted: Counted;
  readonly #stopping = new AbortController();

  static async open(options: CellOptions): Promise<Cell> {
    const time = new SimTime();
    const clock = new ProcessClock(new HostTime(time, 0, 0), new Life("the cell"));
    const plane = await ControlPlane.open({
      ...{ journal: new MemoryJournal(), clock, random: new SeededRandom(options.seed), log: silentLog },
      ...{ personalities, strategy: "spread", nodeAccess: new LateNodeAccess() },
      ...{ address: "192.0.2.1:7443", hostname: "server", version: "simulated" },
    });
    return new Cell(options, time, clock, plane);
  }

  private constructor(options: CellOptions, time: SimTime, clock: Clock, plane: ControlPlane) {
    const { nodes } = evenCluster(options.nodes, ZONES, 4_000, 16 * GIB);
    this.#options = options;
    this.#time = time;
    this.#clock = clock;
    this.#plane = plane;
    this.#lost = nodes.filter(({ zone }) => zone === "zone-a").map(({ name }) => name);
    this.#agents = new LightAgents({ store: plane.store, clock, desk: plane.lifecycle, nodes });
    this.#counted = new Counted();
  }

  async measure(name: string, work: () => Promise<string>): Promise<Phase> {
    const beganMs = this.#clock.monotonic();
    const before = process.cpuUsage();
    const note = await work();
    const { user, system } = process.cpuUsage(before);
    collectGarbage();
    const heapBytes = process.memoryUsage().heapUsed;
    return { name, note, virtualMs: this.#clock.monotonic() - beganMs, cpuMs: (user + system) / 1000, heapBytes };
  }

  async register(): Promise<string> {
    const { nodes, movesPerSecond } = this.#options;
    if (movesPerSecond !== undefined) {
      await this.#change({ movesPerSecond, movesBurst: 10 * movesPerSecond });
    }
    this.#plane.start();
    void followPods(this.#plane.store, this.#counted, this.#stopping.signal);
    await this.#time.drive(this.#agents.start());
    return `${nodes} nodes in ${ZONES} zones`;
  }

  async fill(): Promise<string> {
    const workloads = Math.ceil(this.#options.pods / COPIES);
    for (let i = 0; i < workloads; i++) {
      const copies = Math.min(COPIES, this.#options.pods - i * COPIES);
      await this.#post(replicated(`w${i}`, copies, { cpu: this.#cpu() }));
    }
    await this.#until("everything is ready", () => this.#counted.ready === this.#options.pods);
    return `${this.#options.pods} pods of ${workloads} workloads`;
  }

  /** Three fifths of a node's 3,800 m are asked for, so that three zones can hold what four did. */
  #cpu(): string {
    return `${Math.floor((3_800 * 0.6 * this.#options.nodes) / this.#options.pods)}m`;
  }

  async rest(ms: number): Promise<string> {
    const { revision } = this.#plane.store;
    await this.#time.run(ms);
    return `${this.#plane.store.revision - revision} writes; ${((this.#options.nodes * ms) / 1000).toLocaleString("en")} heartbeats`;
  }

  async loseZone(): Promise<string> {
    this.#agents.silence(this.#lost);
    await this.#time.run(BRAKE_MS);
    if (this.#counted.disrupted > 0)
      throw new Error(`${this.#counted.disrupted} pods were moved while the brake holds`);
    if (this.#plane.lifecycle.brake === undefined) throw new Error("the brake does not hold");
    return `zero moves; ${this.#plane.lifecycle.brake.words}`;
  }

  async heal(): Promise<string> {
    this.#plane.lifecycle.releaseBrake(undefined, "the simulator");
    const lost = this.#lost.reduce((sum, name) => sum + this.#plane.store.by(pods, "node", name).length, 0);
    const isSo = () => this.#counted.disrupted === lost && this.#counted.ready === this.#options.pods;
    await this.#until("every lost pod has a successor that is ready", isSo);
    return `${this.#counted.disrupted} pods were replaced`;
  }

  async rejoin(): Promise<string> {
    await this.#agents.rejoin(this.#lost);
    const isSo = () => this.#counted.ready === this.#options.pods && this.#counted.count === this.#options.pods;
    await this.#until("the surplus is gone", isSo);
    return "as many pods as are wanted";
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#agents.stop();
    await this.#time.drive(this.#plane.stop());
    this.#time.close();
  }

  async #change(spec: ClusterSettings["spec"]): Promise<void> {
    const metadata = { name: CLUSTER_SETTINGS_NAME };
    const draft: Draft<ClusterSettings> = {
      apiVersion: clusterSettings.apiVersion,
      kind: "ClusterSettings",
      metadata,
      spec,
    };
    await this.#time.drive(
      this.#plane.store.update((tx) => {
        tx.create(clusterSettings, draft);
      }),
    );
  }

  async #post({ method, path, body }: ReturnType<typeof replicated>): Promise<void> {
    const headers = { "Content-Type": "application/json" };
    const request = new Request(`${ORIGIN}${path}`, { method, headers, body: JSON.stringify(body) });
    const actor = { name: "admin", roles: ["admin"] } as const;
    const asked = this.#plane.mounted.handle(request, { actor, remoteAddress: "192.0.2.9", origin: ORIGIN });
    const answer = await this.#time.drive(asked);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    const untilMs = this.#clock.monotonic() + PATIENCE_MS;
    while (!condition()) {
      const { count, ready, disrupted } = this.#counted;
      const state = `${ready} of ${count} pods are ready, ${disrupted} are given up`;
      if (this.#clock.monotonic() > untilMs) throw new Error(`not within 8 virtual hours: ${what}; ${state}`);
      await this.#time.run(100);
    }
  }
}

/** Kept from the changes: nobody looks at half a million pods ten times a second. */
class Counted {
  count = 0;
  /** Ready, and counted by whoever wanted them. */
  ready = 0;
  disrupted = 0;

  readonly all = (list: readonly Pod[]): void => {
    this.count = 0;
    this.ready = 0;
    this.disrupted = 0;
    for (const pod of list) this.#add(pod, 1);
  };

  readonly changes = (changes: readonly Change[]): void => {
    for (const { type, object, before } of changes) {
      this.#add(before as Pod | undefined, -1);
      if (type !== "removed") this.#add(object as Pod, 1);
    }
  };

  #add(pod: Pod | undefined, by: 1 | -1): void {
    if (!pod) return;
    this.count += by;
    if (isDisrupted(pod)) this.disrupted += by;
    else if (isReady(pod) && pod.metadata.deletionTimestamp === undefined) this.ready += by;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
