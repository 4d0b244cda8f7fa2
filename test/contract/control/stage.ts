import assert from "node:assert/strict";
import type { Assignments, Control, PodReport } from "../../../src/agent/control.ts";
import { RemoteControl } from "../../../src/agent/remote/remote-control.ts";
import type { Directory } from "../../../src/directory/directory.ts";
import { Dispatcher } from "../../../src/dispatcher/dispatcher.ts";
import { StoreControl } from "../../../src/dispatcher/store-control.ts";
import type { Goodbye, Heartbeat, HeartbeatAnswer, LeaseDesk } from "../../../src/model/heartbeat.ts";
import { kernelKinds } from "../../../src/model/kinds.ts";
import { keyOf } from "../../../src/model/meta.ts";
import { type Pod, type PodSpec, type PodStatus, pods } from "../../../src/model/pod.ts";
import { type LogFields, silentLog } from "../../../src/seams/log.ts";
import { ManualClock } from "../../../src/seams/manual-clock.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { MemoryJournal } from "../../../src/store/journals/memory.ts";
import { Store } from "../../../src/store/store.ts";
import { type Quality, Wire } from "./wire.ts";

export const NODE = "n1";

/** Notes what it is told; answers as it was last told to. */
export class NotedLeases implements LeaseDesk {
  readonly beats: Heartbeat[] = [];
  readonly goodbyes: Goodbye[] = [];
  answer: HeartbeatAnswer = { renewed: true, known: true, terms: { heartbeatMs: 1_000, exclusiveMs: 40_000 } };

  beat(beat: Heartbeat): HeartbeatAnswer {
    this.beats.push(beat);
    return this.answer;
  }

  goodbye(goodbye: Goodbye): void {
    this.goodbyes.push(goodbye);
  }
}

export interface Stage {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly journal: MemoryJournal;
  readonly leases: NotedLeases;
  readonly control: Control;
  readonly warnings: string[];
  /** Lets time pass until `done`; fails with `what` after `withinMs`. */
  until(done: () => boolean, what: string, withinMs?: number): Promise<void>;
  /** Lets time pass until the promise is settled, and gives what it was settled with. */
  over<T>(promise: Promise<T>): Promise<T>;
}

export interface RemoteStage extends Stage {
  readonly control: RemoteControl;
  readonly wire: Wire;
  readonly random: SeededRandom;
  dispatcher(): Dispatcher;
  /** The one of the control plane's present life. */
  directory(): Directory;
  /** Another agent's way to the same dispatcher, for the node that it has proved to be. */
  dial(nodeName: string): { readonly wire: Wire; readonly control: RemoteControl };
  /** The control plane's program ends, and later starts with what is stored. */
  crash(): void;
  restart(): void;
}

async function foundation(seed: string | number) {
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const journal = new MemoryJournal();
  const parts = { kinds: kernelKinds, journal, clock, random: random.fork("store"), log: silentLog };
  const store = await Store.open({ ...parts, historyLimit: 200 });
  const warnings: string[] = [];
  const note = (message: string, fields?: LogFields) => void warnings.push(`${message} ${JSON.stringify(fields)}`);
  const log = { ...silentLog, warn: note, error: note, with: () => log };
  const until = async (done: () => boolean, what: string, withinMs = 60_000) => {
    await clock.settle();
    for (let waitedMs = 0; !done(); waitedMs += 50) {
      assert.ok(waitedMs < withinMs, `not within ${withinMs / 1000} s: ${what}`);
      await clock.advance(50);
    }
  };
  const over = async <T>(promise: Promise<T>) => {
    let isOver = false;
    promise.then(
      () => {
        isOver = true;
      },
      () => {
        isOver = true;
      },
    );
    await until(() => isOver, "a promise is settled");
    return promise;
  };
  return { clock, random, journal, store, leases: new NotedLeases(), log, warnings, until, over };
}

export async function storeStage(): Promise<Stage> {
  const parts = await foundation("store");
  return { ...parts, control: new StoreControl(parts.store, parts.leases) };
}

export async function remoteStage(
  quality: Quality,
  seed: string | number = "remote",
  /** Fresh for every life of the control plane; absent: it tells nothing of the network. */
  directoryOf?: (store: Store, clock: ManualClock) => Directory,
): Promise<RemoteStage> {
  const parts = await foundation(seed);
  const { clock, random, store, leases, log } = parts;
  let directory: Directory | undefined;
  const start = () => {
    directory = directoryOf?.(store, clock);
    directory?.start();
    return new Dispatcher({ store, clock, log, leases, ...(directory ? { directory } : {}) });
  };
  let dispatcher = start();
  const wires: { readonly wire: Wire; readonly nodeName: string }[] = [];
  const acceptFor = (nodeName: string) => (link: Parameters<Dispatcher["accept"]>[0]) =>
    dispatcher.accept(link, { nodeName });
  const dial = (nodeName: string) => {
    const wire = new Wire(clock, random.fork(`wire ${wires.length}`), acceptFor(nodeName));
    wire.quality = quality;
    wires.push({ wire, nodeName });
    return { wire, control: new RemoteControl({ dialers: [wire], clock, random: random.fork(nodeName), log }) };
  };
  const crash = () => {
    dispatcher.stop();
    directory?.stop();
    for (const { wire } of wires) {
      wire.accept = undefined;
      wire.breakAll();
    }
  };
  const restart = () => {
    dispatcher = start();
    for (const { wire, nodeName } of wires) wire.accept = acceptFor(nodeName);
  };
  const present = () => {
    assert.ok(directory, "this stage has a directory");
    return directory;
  };
  return { ...parts, ...dial(NODE), dial, dispatcher: () => dispatcher, directory: present, crash, restart };
}

export function createPod(store: Store, name: string, nodeName = NODE, spec: Partial<PodSpec> = {}): Promise<Pod> {
  return store.update((tx) =>
    tx.create<Pod>(pods, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "default" },
      spec: { containers: [{ name: "main", image: "busybox" }], nodeName, ...spec },
      status: { phase: "Pending" },
    }),
  );
}

export function reportOf(pod: Pod, status: PodStatus | "gone"): PodReport {
  return { key: keyOf(pod), uid: pod.metadata.uid, status };
}

/** What an agent holds by what it was told, and a check that nothing older ever follows something newer. */
export class Told {
  readonly pods = new Map<string, Pod>();
  readonly batches: Assignments[] = [];
  readonly #revisions = new Map<string, number>();

  take(assignments: Assignments): void {
    this.batches.push(assignments);
    for (const pod of assignments.pods) {
      const { uid, resourceVersion } = pod.metadata;
      const revision = Number(resourceVersion);
      const before = this.#revisions.get(uid) ?? 0;
      assert.ok(revision >= before, `pod ${pod.metadata.name}: revision ${revision} after ${before}`);
      this.#revisions.set(uid, revision);
    }
    if (assignments.type === "all") this.pods.clear();
    for (const pod of assignments.pods) this.pods.set(pod.metadata.uid, pod);
    if (assignments.type === "changed") for (const { uid } of assignments.removed) this.pods.delete(uid);
  }

  /** Whether it is exactly what the store has bound to the node. */
  agrees(store: Store, nodeName = NODE): boolean {
    const stored = store.by(pods, "node", nodeName);
    return (
      stored.length === this.pods.size &&
      stored.every(({ metadata }) => this.pods.get(metadata.uid)?.metadata.resourceVersion === metadata.resourceVersion)
    );
  }
}
