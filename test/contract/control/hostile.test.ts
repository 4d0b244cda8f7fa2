/**
 * Whatever a link does to what is said on it: nothing older is ever taken after something newer, and ten seconds after
 * it is well again both sides agree.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RemoteControl } from "../../../src/agent/remote/remote-control.ts";
import { Reporter } from "../../../src/agent/reporter.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { type Random, SeededRandom } from "../../../src/seams/random.ts";
import { createPod, NODE, type RemoteStage, remoteStage, Told } from "./stage.ts";
import { PERFECT } from "./wire.ts";

const SEEDS = 25;
const STEPS = 60;
const AGREE_WITHIN_MS = 10_000;

/** An agent reduced to what it is told and what it says: it counts up a number for each of its pods. */
class TestAgent {
  control: RemoteControl;
  told = new Told();
  restarts = 0;
  readonly said = new Map<string, number>();
  readonly #stage: RemoteStage;
  #reporter: Reporter;
  #watching = new AbortController();

  constructor(stage: RemoteStage) {
    this.#stage = stage;
    this.control = stage.control;
    this.#reporter = this.#begin();
  }

  /** kill -9, and a start. */
  restart(random: Random): void {
    const { wire, clock } = this.#stage;
    this.restarts++;
    this.#watching.abort();
    this.#reporter.stop();
    this.control.close("the agent ended");
    this.control = new RemoteControl({ dialers: [wire], clock, random, log: silentLog });
    this.told = new Told();
    this.#reporter = this.#begin();
  }

  /** Something happened to one of its pods; one that is to go has gone. */
  step(random: Random): void {
    const known = [...this.told.pods.values()];
    const pod = known[random.int(Math.max(1, known.length))];
    if (!pod) return;
    this.said.set(pod.metadata.uid, (this.said.get(pod.metadata.uid) ?? 0) + 1);
    this.#say(pod.metadata.uid);
  }

  #say(uid: string): void {
    const pod = this.told.pods.get(uid);
    if (!pod) return;
    const { namespace, name, deletionTimestamp } = pod.metadata;
    const status = { phase: "Running" as const, message: String(this.said.get(uid) ?? 0) };
    this.#reporter.report({ key: `${namespace}/${name}`, uid, status: deletionTimestamp ? "gone" : status });
  }

  #begin(): Reporter {
    const { clock } = this.#stage;
    const reporter = new Reporter(this.control, clock, silentLog, () => {});
    this.#watching = new AbortController();
    this.control.watchPods(
      NODE,
      (assignments) => {
        this.told.take(assignments);
        for (const { metadata } of assignments.pods) {
          const isNews = assignments.type === "all" && this.said.has(metadata.uid);
          if (isNews || metadata.deletionTimestamp) this.#say(metadata.uid);
        }
      },
      this.#watching.signal,
    );
    return reporter;
  }
}

type Fault = (stage: RemoteStage, random: Random, agent: TestAgent) => void;

const cut =
  (up: boolean, down: boolean): Fault =>
  ({ wire }, random) => {
    if (random.next() > 0.15) return;
    wire.cutUp = up && random.next() < 0.6;
    wire.cutDown = down && random.next() < 0.6;
  };

const faults: Readonly<Record<string, Fault>> = {
  loses: ({ wire }) => {
    wire.quality = { ...PERFECT, loss: 0.4 };
  },
  doubles: ({ wire }) => {
    wire.quality = { ...PERFECT, delayMs: [1, 200], duplicate: 0.7 };
  },
  "delays by up to 4 s": ({ wire }) => {
    wire.quality = { ...PERFECT, delayMs: [1, 4_000] };
  },
  reorders: ({ wire }) => {
    wire.quality = { ...PERFECT, delayMs: [50, 400], reorder: 0.5 };
  },
  "loses, doubles, delays and reorders": ({ wire }) => {
    wire.quality = { delayMs: [1, 1_000], loss: 0.25, duplicate: 0.25, reorder: 0.25 };
  },
  "is cut from the agent, on and off": cut(true, false),
  "is cut to the agent, on and off": cut(false, true),
  "is cut both ways, on and off": cut(true, true),
  breaks: ({ wire }, random) => {
    if (random.next() < 0.2) wire.breakAll();
  },
  "ends with the control plane, which starts again": (stage, random) => {
    if (!stage.wire.accept) stage.restart();
    else if (random.next() < 0.2) stage.crash();
  },
  "ends with the agent, which starts again": (_stage, random, agent) => {
    if (random.next() < 0.1) agent.restart(random.fork(`agent ${agent.restarts}`));
  },
  "does all of that": (stage, random, agent) => {
    const names = Object.keys(faults).filter((name) => name !== "does all of that");
    faults[names[random.int(names.length)] ?? ""]?.(stage, random, agent);
  },
};

/** One thing that users or controllers do. */
async function change({ store }: RemoteStage, random: Random, at: number): Promise<void> {
  const bound = store.by(pods, "node", NODE);
  const pod = bound[random.int(Math.max(1, bound.length))];
  const what = random.int(4);
  if (!pod || what === 0) await createPod(store, `p${at}`);
  else if (what === 1) await store.update((tx) => tx.update(pods, withLabel(pod, at)));
  else if (what === 2) await store.update((tx) => tx.update(pods, doomed(pod)));
  else if (random.int(4) === 0) await store.update((tx) => tx.remove(pods, `default/${pod.metadata.name}`));
}

function withLabel(pod: Pod, at: number): Pod {
  return { ...pod, metadata: { ...pod.metadata, labels: { at: String(at) } } };
}

function doomed(pod: Pod): Pod {
  return { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
}

/** Fails when what was reported of a pod ever goes back. */
async function watchStatuses({ store }: RemoteStage, signal: AbortSignal, problems: string[]): Promise<void> {
  const last = new Map<string, number>();
  for await (const changes of store.watch({ kinds: [pods], signal })) {
    for (const { object } of changes) {
      const { metadata, status } = object as Pod;
      const now = Number(status.message ?? 0);
      const before = last.get(metadata.uid) ?? 0;
      if (now < before) problems.push(`pod ${metadata.name}: status ${now} was written after ${before}`);
      last.set(metadata.uid, now);
    }
  }
}

function differences({ store }: RemoteStage, agent: TestAgent): readonly string[] {
  if (!agent.told.agrees(store)) {
    const stored = store.by(pods, "node", NODE).map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
    const told = [...agent.told.pods.values()].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
    return [`assigned ${stored.toSorted()}`, `told ${told.toSorted()}`];
  }
  return store.by(pods, "node", NODE).flatMap((pod) => {
    const said = agent.said.get(pod.metadata.uid);
    const isGoing = pod.metadata.deletionTimestamp !== undefined;
    if (isGoing) return [`pod ${pod.metadata.name} has gone and is still there`];
    return said === undefined || pod.status.message === String(said)
      ? []
      : [`pod ${pod.metadata.name}: the agent says ${said}, the store ${pod.status.message}`];
  });
}

async function run(fault: Fault, seed: string): Promise<void> {
  const random = new SeededRandom(seed);
  const stage = await remoteStage(PERFECT, seed);
  const agent = new TestAgent(stage);
  const problems: string[] = [];
  const watching = new AbortController();
  const statuses = watchStatuses(stage, watching.signal, problems);
  for (let at = 0; at < STEPS; at++) {
    fault(stage, random, agent);
    await change(stage, random, at);
    agent.step(random);
    await stage.clock.advance(random.int(800));
  }
  stage.wire.heal();
  if (!stage.wire.accept) stage.restart();
  await stage.clock.advance(AGREE_WITHIN_MS);
  watching.abort();
  await statuses;
  assert.deepEqual([...problems, ...differences(stage, agent)], []);
  agent.control.close("over");
  stage.dispatcher().stop();
  await stage.clock.advance(60_000);
  assert.equal(stage.clock.timers, 0, "timers that are left");
}

describe("a link between an agent and its control plane", () => {
  for (const [name, fault] of Object.entries(faults)) {
    test(`${name}: nothing goes back, and both sides agree ${AGREE_WITHIN_MS / 1000} s after it is well`, async () => {
      for (let seed = 0; seed < SEEDS; seed++) {
        try {
          await run(fault, `${name} ${seed}`);
        } catch (error) {
          throw new Error(`seed "${name} ${seed}"`, { cause: error });
        }
      }
    });
  }
});
