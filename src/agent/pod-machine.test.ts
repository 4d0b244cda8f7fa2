import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ObservedRun } from "../drivers/driver.ts";
import type { Container, Pod, PodSpec } from "../model/pod.ts";
import { type Action, PHASE_MOVES, STAGE_MOVES, step } from "./pod-machine.ts";
import { type ContainerSeen, NEW_CONTAINER, newlySeen, type PodSeen, type Stage } from "./seen.ts";

const web: Container = { name: "web", image: "i", driver: "fake" };
const READY = { fake: { ready: true, listed: true }, unit: { ready: true, listed: true } };

function podOf(spec: Partial<PodSpec> = {}, status: Pod["status"] = { phase: "Pending" }): Pod {
  const metadata = { name: "p", namespace: "d", uid: "u", resourceVersion: "1", generation: 1, creationTimestamp: "" };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [web], ...spec }, status };
}

function runOf(state: ObservedRun["state"], more: Partial<ObservedRun> = {}): ObservedRun {
  const ref = { podUid: "u", container: "web", attempt: 0 };
  return { ref, driver: "fake", id: "x", state, ...more };
}

interface Row {
  readonly why: string;
  readonly pod?: Pod;
  readonly seen: Partial<PodSeen>;
  readonly c?: Partial<ContainerSeen>;
  readonly nowMs?: number;
  readonly does: string;
}

const unit: Container = { name: "web", driver: "unit", unit: { name: "u", options: [], start: false } };
const sidecar: Container = { ...web, name: "side", restartPolicy: "Always" };
const trouble = { reason: "X", message: "no", count: 1, retryAtMs: 500 };
const prepared = { preparedImage: "i" };

const rows: readonly Row[] = [
  { why: "admission comes first", seen: {}, does: "admit" },
  { why: "what fits goes on", seen: { admission: "yes" }, does: "move admitted" },
  { why: "what does not fit ends", seen: { admission: { reason: "OutOfcpu", message: "m" } }, does: "move finishing" },
  { why: "volumes before anything starts", seen: { stage: "admitted" }, does: "equip" },
  { why: "a missing secret is tried again later", seen: { stage: "admitted", trouble }, does: "wait 500" },
  { why: "the time for that has come", seen: { stage: "admitted", trouble }, nowMs: 500, does: "equip" },
  { why: "equipped is equipped", seen: { stage: "admitted", equipped: true }, does: "move equipped" },
  { why: "no init containers", seen: { stage: "initializing" }, does: "move running" },
  { why: "the image first", seen: { stage: "running" }, does: "prepare web 0" },
  { why: "then the start", seen: { stage: "running" }, c: prepared, does: "start web 0" },
  {
    why: "an image of before is not this image",
    seen: { stage: "running" },
    c: { preparedImage: "j" },
    does: "prepare web 0",
  },
  { why: "one thing at a time per container", seen: { stage: "running" }, c: { busy: "starting" }, does: "wait" },
  { why: "running is fine", seen: { stage: "running" }, c: { run: runOf("running") }, does: "wait" },
  {
    why: "nothing starts before the driver has said what it runs",
    seen: { stage: "running", drivers: { fake: { ready: true, listed: false } } },
    c: prepared,
    does: "wait",
  },
  { why: "nor without its driver", seen: { stage: "running", drivers: {} }, c: prepared, does: "wait" },
  {
    why: "an end is followed by the next attempt",
    seen: { stage: "running" },
    c: { ...prepared, run: runOf("exited", { exitCode: 1 }) },
    does: "start web 1",
  },
  {
    why: "after its back-off",
    seen: { stage: "running" },
    c: { ...prepared, run: runOf("exited", { exitCode: 1 }), retryAtMs: 900 },
    does: "wait 900",
  },
  {
    why: "imagePullPolicy Always asks again for every attempt",
    pod: podOf({ containers: [{ ...web, imagePullPolicy: "Always" }] }),
    seen: { stage: "running" },
    c: { ...prepared, preparedAttempt: 0, run: runOf("exited", { exitCode: 1 }) },
    does: "prepare web 1",
  },
  {
    why: "Never and a failure",
    pod: podOf({ restartPolicy: "Never" }),
    seen: { stage: "running" },
    c: { run: runOf("exited", { exitCode: 1 }) },
    does: "move finishing Failed",
  },
  {
    why: "OnFailure and a success",
    pod: podOf({ restartPolicy: "OnFailure" }),
    seen: { stage: "running" },
    c: { run: runOf("exited", { exitCode: 0 }) },
    does: "move finishing Succeeded",
  },
  {
    why: "an end that nobody saw counts as a failure",
    pod: podOf({ restartPolicy: "Never" }),
    seen: { stage: "running" },
    c: { run: runOf("exited") },
    does: "move finishing Failed",
  },
  {
    why: "a unit comes back after a reboot whatever its policy",
    pod: podOf({ restartPolicy: "Never", containers: [{ ...unit, unit: { name: "u", options: [] } }] }),
    seen: { stage: "running" },
    c: { preparedImage: "", interrupted: true, run: runOf("exited") },
    does: "start web 1",
  },
  {
    why: "a changed image ends the run, and Never does not forbid the next",
    pod: podOf({ restartPolicy: "Never" }),
    seen: { stage: "running" },
    c: { startedImage: "old", run: runOf("running") },
    does: "stop web 30000",
  },
  {
    why: "a stray older run goes before anything else",
    seen: { stage: "running" },
    c: { ...prepared, attempt: 3, strays: [1] },
    does: "remove web 1",
  },
  {
    why: "old runs go while the new one runs",
    seen: { stage: "running" },
    c: { run: runOf("running"), old: [0, 1] },
    does: "remove web 0,1",
  },
  {
    why: "a unit to be loaded only is told to its driver",
    pod: podOf({ containers: [unit] }),
    seen: { stage: "running" },
    c: { preparedImage: "", run: runOf("running") },
    does: "start web 0",
  },
  {
    why: "and then left alone",
    pod: podOf({ containers: [unit] }),
    seen: { stage: "running" },
    c: { run: runOf("created"), asked: { attempt: 0, loadOnly: true } },
    does: "wait",
  },
  {
    why: "a unit that does not load is not loaded again and again",
    pod: podOf({ containers: [unit], restartPolicy: "Never" }),
    seen: { stage: "running" },
    c: { run: runOf("exited", { exitCode: 1 }), asked: { attempt: 0, loadOnly: true } },
    does: "move finishing Failed",
  },
  {
    why: "containers that have run prove that init is done",
    pod: podOf({ initContainers: [{ ...web, name: "init" }] }),
    seen: { stage: "initializing" },
    c: { run: runOf("running") },
    does: "move running",
  },
  {
    why: "init before main",
    pod: podOf({ initContainers: [{ ...web, name: "init" }] }),
    seen: { stage: "initializing" },
    does: "prepare init 0",
  },
  {
    why: "the deadline ends it",
    seen: { stage: "running", deadlineMs: 100 },
    nowMs: 100,
    does: "move finishing Failed",
  },
  {
    why: "and is waited for",
    seen: { stage: "running", deadlineMs: 100 },
    c: { run: runOf("running") },
    nowMs: 50,
    does: "wait 100",
  },
  {
    why: "what the control plane has ended is stopped",
    pod: podOf({}, { phase: "Failed", reason: "NodeLost" }),
    seen: { stage: "running" },
    c: { run: runOf("running") },
    does: "move finishing Failed",
  },
  {
    why: "finishing stops what runs",
    seen: { stage: "finishing" },
    c: { run: runOf("running") },
    does: "stop web 30000",
  },
  { why: "then gives back the address", seen: { stage: "finishing" }, c: { run: runOf("exited") }, does: "quiesce" },
  {
    why: "then is finished",
    seen: { stage: "finishing", quiesced: true },
    c: { run: runOf("exited") },
    does: "move finished",
  },
  {
    why: "nobody is to be sent to it any more when it is stopped",
    seen: { stage: "stopping", gate: "in", goodbye: { graceMs: 30_000, byMs: 30_000 } },
    c: { run: runOf("running") },
    does: "leave 2000",
  },
  {
    why: "of a short grace half is left for the stop",
    seen: { stage: "stopping", gate: "in", goodbye: { graceMs: 1_000, byMs: 1_000 } },
    c: { run: runOf("running") },
    does: "leave 500",
  },
  {
    why: "until it has left",
    seen: { stage: "stopping", gate: "leaving", goodbye: { graceMs: 30_000, byMs: 30_000 } },
    c: { run: runOf("running") },
    does: "wait 30000",
  },
  {
    why: "it leaves once",
    seen: { stage: "stopping", gate: "left", goodbye: { graceMs: 100, byMs: 100 } },
    c: { run: runOf("running") },
    does: "stop web 100",
  },
  {
    why: "a deletion without grace does not wait for that",
    seen: { stage: "stopping", gate: "in", goodbye: { graceMs: 0, byMs: 0 } },
    c: { run: runOf("running") },
    does: "stop web 0",
  },
  {
    why: "one that comes while it leaves is not kept waiting",
    seen: { stage: "stopping", gate: "leaving", goodbye: { graceMs: 0, byMs: 0 } },
    c: { run: runOf("running") },
    does: "stop web 0",
  },
  {
    why: "nor does the fence",
    seen: {
      ...{ stage: "stopping", gate: "in", goodbye: { graceMs: 5_000, byMs: 5_000 } },
      fence: { words: "given away", stopByMs: 3_000 },
    },
    c: { run: runOf("running") },
    does: "stop web 3000",
  },
  {
    why: "what does not run leaves nothing",
    seen: { stage: "stopping", gate: "in", goodbye: { graceMs: 100, byMs: 100 } },
    c: { run: runOf("exited", { exitCode: 0 }) },
    does: "move removing",
  },
  { why: "a goodbye comes before all else", seen: { goodbye: { graceMs: 1, byMs: 1 } }, does: "move stopping" },
  {
    why: "with what is left of its grace",
    seen: { stage: "stopping", goodbye: { graceMs: 100, byMs: 100 } },
    c: { run: runOf("running") },
    nowMs: 40,
    does: "stop web 60",
  },
  {
    why: "a stop under way is waited for",
    seen: { stage: "stopping", goodbye: { graceMs: 100, byMs: 100 } },
    c: { busy: "stopping", stopByMs: 100, run: runOf("running") },
    does: "wait",
  },
  {
    why: "unless there is much less time now",
    seen: { stage: "stopping", goodbye: { graceMs: 0, byMs: 0 } },
    c: { busy: "stopping", stopByMs: 30_000, run: runOf("running") },
    does: "stop web 0",
  },
  {
    why: "a pull in vain holds nothing back",
    seen: { stage: "stopping" },
    c: { busy: "preparing" },
    does: "move removing",
  },
  {
    why: "sidecars stop last",
    pod: podOf({ initContainers: [sidecar] }),
    seen: { stage: "stopping", containers: { web: NEW_CONTAINER, side: { ...NEW_CONTAINER, run: runOf("running") } } },
    does: "stop side 30000",
  },
  {
    why: "what may run unseen keeps the pod from going",
    seen: { stage: "stopping", drivers: {} },
    c: { wasStarted: true },
    does: "wait",
  },
  {
    why: "every run is removed",
    seen: { stage: "removing" },
    c: { run: runOf("exited"), old: [4] },
    does: "remove web 0,4",
  },
  { why: "then what the pod had as a whole", seen: { stage: "removing" }, does: "release" },
  { why: "then it is gone", seen: { stage: "removing", released: true }, does: "move gone" },
];

describe("pod machine", () => {
  for (const { why, pod = podOf(), seen, c, nowMs = 0, does } of rows) {
    test(`${why}: ${does}`, () => {
      const base: PodSeen = { ...newlySeen(pod), drivers: READY, ...seen };
      const containers = c ? { ...base.containers, web: { ...NEW_CONTAINER, ...c } } : base.containers;
      assert.equal(textOf(step(pod, { ...base, containers }, nowMs).action), does);
    });
  }

  test("every step says why", () => {
    for (const { pod = podOf(), seen, c } of rows) {
      const base: PodSeen = { ...newlySeen(pod), drivers: READY, ...seen };
      const containers = c ? { ...base.containers, web: { ...NEW_CONTAINER, ...c } } : base.containers;
      assert.notEqual(step(pod, { ...base, containers }, 0).reason, "");
    }
  });

  test("whatever is seen, a move is one of the table, and stages and phases have no way back", () => {
    const stages = Object.keys(STAGE_MOVES) as Stage[];
    const anyRun = fc.constantFrom(
      undefined,
      runOf("created"),
      runOf("running"),
      runOf("exited", { exitCode: 0 }),
      runOf("exited", { exitCode: 1 }),
    );
    const anyContainer = fc.record({
      run: anyRun,
      busy: fc.constantFrom(undefined, "starting" as const, "stopping" as const, "preparing" as const),
      old: fc.constantFrom([], [1]),
      wasStarted: fc.boolean(),
      preparedImage: fc.constantFrom(undefined, "i"),
      trouble: fc.constantFrom(undefined, trouble),
    });
    const anySeen = fc.record({
      stage: fc.constantFrom(...stages),
      goodbye: fc.constantFrom(undefined, { graceMs: 0, byMs: 0 }),
      admission: fc.constantFrom(undefined, "yes" as const),
      equipped: fc.boolean(),
      quiesced: fc.boolean(),
      released: fc.boolean(),
      drivers: fc.constantFrom({}, READY),
      deadlineMs: fc.constantFrom(undefined, 10),
    });
    fc.assert(
      fc.property(
        anySeen,
        anyContainer,
        fc.constantFrom("Always", "Never", "OnFailure"),
        fc.nat(1000),
        (seen, c, restartPolicy, nowMs) => {
          const pod = podOf({ restartPolicy: restartPolicy as "Always" });
          const containers = { web: withoutUndefined({ ...NEW_CONTAINER, ...c }) };
          const whole = withoutUndefined({ ...newlySeen(pod), ...seen, containers }) as PodSeen;
          const { action } = step(pod, whole, nowMs);
          if (action.type === "move") assert(action.to in STAGE_MOVES[whole.stage], `${whole.stage} to ${action.to}`);
          if (action.type === "start") {
            assert.notEqual(whole.drivers.fake?.listed, undefined, "a start needs a driver that has been listed");
            assert.notEqual(c.run?.state, "running");
          }
        },
      ),
      { numRuns: 2000 },
    );
    for (const from of stages)
      for (const to of Object.keys(STAGE_MOVES[from])) assert(stages.indexOf(to as Stage) > stages.indexOf(from));
    assert.deepEqual(PHASE_MOVES.Succeeded, []);
    assert.deepEqual(PHASE_MOVES.Failed, []);
  });
});

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}

function textOf(action: Action): string {
  switch (action.type) {
    case "wait":
      return action.untilMs === undefined ? "wait" : `wait ${action.untilMs}`;
    case "move":
      return `move ${action.to}${action.to === "finishing" && !action.outcome?.reason?.startsWith("OutOf") ? ` ${action.outcome?.phase}` : ""}`;
    case "prepare":
    case "start":
      return `${action.type} ${action.container} ${action.attempt}`;
    case "stop":
      return `stop ${action.container} ${action.graceMs}`;
    case "remove":
      return `remove ${action.container} ${action.attempts.join()}`;
    case "leave":
      return `leave ${action.mostMs}`;
    default:
      return action.type;
  }
}
