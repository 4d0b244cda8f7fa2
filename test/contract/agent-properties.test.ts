import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { PHASE_MOVES } from "../../src/agent/pod-machine.ts";
import { DriverError } from "../../src/drivers/driver.ts";
import type { Pod, PodPhase } from "../../src/model/pod.ts";
import { podOf, Stage, web } from "./agent-stage.ts";

type Event =
  | { readonly type: "assign"; readonly containers: number; readonly policy: "Always" | "OnFailure" | "Never" }
  | { readonly type: "delete" | "take" | "image"; readonly at: number; readonly grace: number }
  | { readonly type: "exit"; readonly at: number; readonly code: number }
  | { readonly type: "vanish"; readonly at: number }
  | { readonly type: "wait"; readonly ms: number }
  | {
      readonly type:
        | "restart"
        | "reboot"
        | "away"
        | "back"
        | "lose"
        | "driverDown"
        | "driverUp"
        | "startsFail"
        | "startsWork"
        | "forget"
        | "sendAll";
    };

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("assign" as const),
      containers: fc.integer({ min: 1, max: 2 }),
      policy: fc.constantFrom("Always" as const, "OnFailure" as const, "Never" as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom("delete" as const, "take" as const, "image" as const),
      at: fc.nat(9),
      grace: fc.nat(30),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("exit" as const), at: fc.nat(9), code: fc.constantFrom(0, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("vanish" as const), at: fc.nat(9) }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(1, 50, 700, 12_000, 70_000) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom(
        "restart" as const,
        "reboot" as const,
        "away" as const,
        "back" as const,
        "lose" as const,
        "driverDown" as const,
        "driverUp" as const,
        "startsFail" as const,
        "startsWork" as const,
        "forget" as const,
        "sendAll" as const,
      ),
    }),
  },
);

async function happen(stage: Stage, event: Event, pods: Pod[]): Promise<void> {
  const { control, driver } = stage;
  const assigned = [...control.pods.values()];
  switch (event.type) {
    case "assign": {
      const names = ["web", "b"].slice(0, event.containers);
      const pod = podOf({ containers: names.map((name) => web({ name })), restartPolicy: event.policy });
      pods.push(pod);
      control.assign(pod);
      break;
    }
    case "delete":
    case "take":
    case "image": {
      const pod = assigned[event.at % Math.max(1, assigned.length)];
      if (!pod) break;
      if (event.type === "delete") control.remove(pod, event.grace);
      else if (event.type === "take") control.take(pod);
      else {
        const containers = pod.spec.containers.map((each, at) =>
          at === 0 ? { ...each, image: `web:${event.grace}` } : each,
        );
        control.assign({ ...pod, spec: { ...pod.spec, containers } });
      }
      break;
    }
    case "exit":
    case "vanish": {
      const running = driver.running();
      const run = running[event.at % Math.max(1, running.length)];
      if (run && event.type === "exit") driver.exit(run.ref, event.code);
      else if (run) driver.runs.delete(`${run.ref.podUid}/${run.ref.container}/${run.ref.attempt}`);
      break;
    }
    case "wait":
      await stage.clock.advance(event.ms);
      break;
    case "restart":
      await stage.restart();
      break;
    case "reboot":
      await stage.agent.stop();
      driver.powerCut();
      stage.reading = { ...stage.reading, bootId: `${stage.reading.bootId}+` };
      await stage.restart();
      break;
    case "away":
      control.away = true;
      break;
    case "back":
      control.away = false;
      control.sendAll();
      break;
    case "lose":
      driver.lose();
      break;
    case "driverDown":
      driver.ready = false;
      break;
    case "driverUp":
      driver.ready = true;
      break;
    case "startsFail":
      driver.startFailures.set("web", new DriverError("no", { temporary: false, reason: "RunContainerError" }));
      break;
    case "startsWork":
      driver.startFailures.clear();
      break;
    case "forget":
      for (const { pod } of await stage.record.load()) {
        const status = control.statuses.get(pod.metadata.uid);
        const present = control.pods.get(pod.metadata.uid);
        if (present && status && status !== "gone") control.pods.set(pod.metadata.uid, { ...present, status });
      }
      break;
    case "sendAll":
      if (!control.away) control.sendAll();
      break;
  }
}

async function heal(stage: Stage): Promise<void> {
  stage.control.away = false;
  stage.driver.ready = true;
  stage.driver.startFailures.clear();
  stage.driver.lose();
  stage.control.sendAll();
  await stage.clock.advance(900_000);
}

function checkPhases(stage: Stage): void {
  const last = new Map<string, PodPhase>();
  for (const { uid, status } of stage.control.history) {
    if (status === "gone") continue;
    const before = last.get(uid);
    const moves: readonly string[] = before === undefined ? [status.phase] : PHASE_MOVES[before];
    assert(before === status.phase || moves.includes(status.phase), `${uid} went from ${before} to ${status.phase}`);
    last.set(uid, status.phase);
  }
}

function checkEnd(stage: Stage): void {
  const { control, driver } = stage;
  const wanted = new Set<string>();
  for (const pod of control.pods.values()) {
    assert.equal(pod.metadata.deletionTimestamp, undefined, `${pod.metadata.name} is to be deleted and still there`);
    const { phase } = control.status(pod);
    if (phase === "Succeeded" || phase === "Failed") continue;
    assert.equal(phase, "Running", `${pod.metadata.name} is ${phase}: ${JSON.stringify(control.status(pod))}`);
    const names = pod.spec.containers.map(({ name }) => name);
    const runs = driver.running().filter(({ ref }) => ref.podUid === pod.metadata.uid);
    // A container of a pod with other ones may have ended for good by its policy.
    const least = pod.spec.restartPolicy === undefined || pod.spec.restartPolicy === "Always" ? names.length : 1;
    assert(runs.length >= least && runs.length <= names.length, `${pod.metadata.name} has ${runs.length} runs`);
    wanted.add(pod.metadata.uid);
  }
  for (const { ref } of driver.running()) assert(wanted.has(ref.podUid), `${ref.podUid} runs and is not wanted`);
  for (const { ref } of driver.runs.values()) assert(control.pods.has(ref.podUid), `${ref.podUid} has left something`);
}

describe("agent: whatever happens", () => {
  test("no phase goes back, no container runs twice, and when it is quiet again everything is as wanted and stays so", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { minLength: 5, maxLength: 40 }), async (events) => {
        const stage = new Stage();
        const pods: Pod[] = [];
        await stage.start();
        for (const event of events) {
          await happen(stage, event, pods);
          await stage.clock.settle();
        }
        await heal(stage);
        assert.deepEqual(stage.driver.doubled, []);
        checkPhases(stage);
        checkEnd(stage);
        const { length } = stage.driver.asked;
        const { reports } = stage.control;
        await stage.clock.advance(300_000);
        assert.deepEqual(stage.driver.asked.slice(length), [], "it comes to rest");
        assert.equal(stage.control.reports, reports, "and says nothing more");
        await stage.agent.stop();
      }),
      { numRuns: Number(process.env.STYRMANN_RUNS ?? 60), endOnFailure: process.env.STYRMANN_NO_SHRINK !== undefined },
    );
  });
});
