/** fleet's part of a control plane in one process: its API, its controllers, the scheduler, and machines that do as they are told. */
import { garbageCollector } from "../../../src/controllers/garbage-collector.ts";
import { ControllerRunner } from "../../../src/controllers/runner.ts";
import { mountApis } from "../../../src/http/mount.ts";
import { kernelKinds } from "../../../src/model/kinds.ts";
import { nodes } from "../../../src/model/node.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import { parseUnitFile } from "../../../src/model/unit/parse-unit-file.ts";
import { fleet } from "../../../src/personalities/fleet/index.ts";
import { Scheduler } from "../../../src/scheduling/scheduler.ts";
import { testNode } from "../../../src/scheduling/test-objects.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { MemoryJournal } from "../../../src/store/journals/memory.ts";
import { Store } from "../../../src/store/store.ts";
import { loseNode, returnNode } from "../lost-node.ts";
import { type Habits, Machines } from "./machines.ts";

const DEADLINE_MS = 8000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are what the tests are about
  readonly body: any;
}

export interface UnitJson {
  readonly currentState?: string;
  readonly desiredState: string;
  readonly machineID?: string;
  readonly name: string;
  readonly options: readonly { section: string; name: string; value: string }[];
}

export interface StateRow {
  readonly name: string;
  readonly machineID: string;
  readonly systemdActiveState: string;
  readonly systemdLoadState: string;
  readonly systemdSubState: string;
  readonly hash: string;
}

/** 32 hexadecimal digits, as machine ids are: all of one letter. */
export function machineId(letter: string): string {
  return letter.repeat(32);
}

export class Cluster {
  readonly store: Store;
  readonly journal: MemoryJournal;
  readonly machines: Machines;
  readonly #mounted: ReturnType<typeof mountApis>;
  readonly #runner: ControllerRunner;
  readonly #scheduler: Scheduler;

  /** One machine per letter; its name is the letter, its id the letter 32 times. */
  static async open(letters = "a", habits: Habits = {}): Promise<Cluster> {
    const clock = new SystemClock();
    const random = new SeededRandom("fleet");
    const journal = new MemoryJournal();
    const kinds = [...kernelKinds, ...fleet.kinds];
    const store = await Store.open({ kinds, journal, clock, random, log: silentLog });
    const cluster = new Cluster(store, journal, habits);
    for (const letter of letters) await cluster.addMachine(letter);
    return cluster;
  }

  private constructor(store: Store, journal: MemoryJournal, habits: Habits) {
    const [clock, random, log] = [new SystemClock(), new SeededRandom("fleet"), silentLog];
    this.store = store;
    this.journal = journal;
    this.machines = new Machines(store, habits);
    const context = { store, clock, random, log, address: "127.0.0.1:7443", version: "0.1.0" };
    this.#mounted = mountApis([fleet.api(context)]);
    const controllers = [garbageCollector([...kernelKinds, ...fleet.kinds]), ...fleet.controllers(context)];
    this.#runner = new ControllerRunner({ store, controllers, clock, random, log });
    this.#scheduler = new Scheduler({ store, clock, random, log });
    this.#runner.start();
    this.#scheduler.start();
  }

  async close(): Promise<void> {
    await this.machines.stop();
    await this.#runner.stop();
    await this.#scheduler.stop();
    await this.store.close();
  }

  async addMachine(letter: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const node = testNode({ name: letter, labels, drivers: { unit: { ready: true } } });
    const nodeInfo = { ...node.status.nodeInfo, machineID: machineId(letter) };
    const addresses = [{ type: "InternalIP", address: `10.0.0.${letter.charCodeAt(0)}` }] as const;
    const status = { ...node.status, nodeInfo, addresses };
    await this.store.update((tx) => void tx.create(nodes, { ...node, status }));
  }

  /** As an agent does that registers again. */
  async labelNode(letter: string, labels: Readonly<Record<string, string>>): Promise<void> {
    await this.store.update((tx) => {
      const node = tx.get(nodes, letter);
      if (!node) throw new Error(`there is no machine ${letter}`);
      const metadata = { ...node.metadata, labels: { ...node.metadata.labels, ...labels } };
      tx.update(nodes, { ...node, metadata });
    });
  }

  labelsOf(letter: string): Readonly<Record<string, string>> | undefined {
    return this.store.get(nodes, letter)?.metadata.labels;
  }

  /** The machine is unreachable, and its units are given up: what the node lifecycle writes. */
  async lose(letter: string, replaced = true): Promise<void> {
    this.machines.cutOff.add(letter);
    await this.#setReady(letter, false);
    await loseNode(this.store, letter, replaced);
  }

  async bringBack(letter: string): Promise<void> {
    await this.#setReady(letter, true);
    await returnNode(this.store, letter);
    this.machines.cutOff.delete(letter);
  }

  async #setReady(letter: string, ready: boolean): Promise<void> {
    await this.store.update((tx) => {
      const node = tx.get(nodes, letter);
      if (!node) throw new Error(`there is no machine ${letter}`);
      const conditions = [{ type: "Ready", status: ready ? "True" : "Unknown" }] as const;
      const taints = ready ? [] : [{ key: "node.kubernetes.io/unreachable", effect: "NoSchedule" } as const];
      tx.update(nodes, { ...node, spec: { ...node.spec, taints }, status: { ...node.status, conditions } });
    });
  }

  /** A body that is text goes as it is; a null Content-Type sends none. */
  async call(method: string, path: string, body?: unknown, type: string | null = "application/json"): Promise<Answer> {
    const sent = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const request = new Request(`http://fleet.test${path}`, {
      method,
      ...(sent === undefined ? {} : { body: Buffer.from(sent) }),
      headers: type === null ? {} : { "Content-Type": type },
    });
    const response = await this.#mounted.handle(request, {
      actor: { name: "test", roles: ["operator"] },
      remoteAddress: "127.0.0.1",
      origin: "http://fleet.test",
    });
    const text = await response.text();
    const isJson = response.headers.get("Content-Type")?.includes("json") === true && text !== "";
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }

  get(path: string): Promise<Answer> {
    return this.call("GET", `/fleet/v1${path}`, undefined, null);
  }

  put(name: string, body: unknown): Promise<Answer> {
    return this.call("PUT", `/fleet/v1/units/${encodeURIComponent(name)}?alt=json`, body);
  }

  /** Launches a unit as it stands in a file. */
  async launch(name: string, text: string, desiredState = "launched"): Promise<Answer> {
    return this.put(name, { name, desiredState, options: optionsOf(text) });
  }

  async unit(name: string): Promise<UnitJson> {
    return (await this.get(`/units/${encodeURIComponent(name)}`)).body;
  }

  async states(): Promise<readonly StateRow[]> {
    return (await this.get("/state")).body.states ?? [];
  }

  /** Names of units that are active, with the letter of their machine: `hello.service@a`. Sorted. */
  async active(): Promise<readonly string[]> {
    const rows = (await this.states()).filter(({ systemdActiveState }) => systemdActiveState === "active");
    return rows.map(({ name, machineID }) => `${name}@${machineID[0]}`).toSorted();
  }

  async whereIs(name: string): Promise<string | undefined> {
    return (await this.active()).find((row) => row.startsWith(`${name}@`))?.at(-1);
  }

  pods(): readonly Pod[] {
    return this.store.list(pods, "fleet");
  }

  settle(): Promise<void> {
    return this.#runner.settle();
  }

  /** Waits until `claim` holds; says what was missing, and what there was instead. */
  async until(what: string, claim: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      await this.settle();
      if (await claim()) return;
      if (performance.now() > deadline) {
        const present = (await this.states()).map(({ name, machineID, systemdActiveState }) => [
          name,
          machineID[0],
          systemdActiveState,
        ]);
        const waiting = this.pods().map(({ metadata, status }) => [
          metadata.name,
          status.conditions?.find(({ type }) => type === "PodScheduled")?.message,
        ]);
        throw new Error(`missing after ${DEADLINE_MS} ms: ${what}; there is ${JSON.stringify({ present, waiting })}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async untilActive(...wanted: readonly string[]): Promise<void> {
    const expected = JSON.stringify(wanted.toSorted());
    await this.until(`active: ${expected}`, async () => JSON.stringify(await this.active()) === expected);
  }

  /** Waits until every pod either runs on a machine or was refused by all of them. */
  async untilDecided(): Promise<void> {
    await this.until("a decision about every pod", () =>
      this.pods().every(({ spec, status, metadata }) =>
        spec.nodeName === undefined
          ? status.conditions?.some(({ reason }) => reason === "Unschedulable")
          : metadata.deletionTimestamp === undefined && status.containerStatuses?.[0]?.unit !== undefined,
      ),
    );
  }
}

export function optionsOf(text: string) {
  return parseUnitFile(text).options;
}

/** A simple service with these lines of [X-Fleet]. */
export function service(...requirements: readonly string[]): string {
  const fleetSection = requirements.length === 0 ? "" : `\n[X-Fleet]\n${requirements.join("\n")}\n`;
  return `[Service]\nExecStart=/bin/sleep 100\n${fleetSection}`;
}

/** Opens a cluster for one test and closes it whatever happens. */
export async function withCluster(
  letters: string,
  work: (cluster: Cluster) => Promise<void>,
  habits?: Habits,
): Promise<void> {
  const cluster = await Cluster.open(letters, habits);
  try {
    await work(cluster);
  } finally {
    await cluster.close();
  }
}
