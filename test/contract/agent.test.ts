import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DriverError } from "../../src/drivers/driver.ts";
import { podOf, Stage, web } from "./agent-stage.ts";

async function staged(): Promise<Stage> {
  const stage = new Stage();
  await stage.start();
  return stage;
}

/** `Ready False PodCompleted`. */
function conditionsOf(stage: Stage, pod: Parameters<Stage["run"]>[0]): readonly string[] {
  const conditions = stage.control.status(pod).conditions ?? [];
  return conditions.map(({ type, status, reason }) => [type, status, ...(reason ? [reason] : [])].join(" "));
}

function waitingWords(stage: Stage, pod: Parameters<Stage["run"]>[0]): string {
  return stage.control.status(pod).containerStatuses?.[0]?.state.waiting?.message ?? "";
}

describe("agent: a pod's life", () => {
  test("an assigned pod is started and reported as running and ready, with its address", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    const status = stage.control.status(pod);
    assert.equal(status.phase, "Running");
    assert.equal(status.podIP, "10.0.0.2");
    assert.equal(status.containerStatuses?.[0]?.ready, true);
    assert.equal(status.containerStatuses?.[0]?.imageID, "id of web:1");
    const conditions = Object.fromEntries((status.conditions ?? []).map(({ type, status }) => [type, status]));
    const own = { PodReadyToStartContainers: "True", Initialized: "True", Ready: "True", ContainersReady: "True" };
    assert.deepEqual(conditions, { ...own, PodScheduled: "True" });
    assert.deepEqual(stage.control.reasons(), ["Pulled", "Created", "Started"]);
  });

  test("the node is registered with capacity, reserve and its drivers", async () => {
    const stage = await staged();
    const node = stage.control.node;
    assert.equal(node?.status.capacity.cpu, "4");
    assert.equal(node?.status.allocatable.cpu, "3800m");
    assert.deepEqual(node?.status.drivers.fake, { ready: true });
    assert.equal(node?.metadata.labels?.["kubernetes.io/hostname"], "n1");
    await stage.clock.advance(60_000);
    assert.equal(stage.control.registrations, 1, "nothing changed, so nothing is registered again");
    stage.reading = { ...stage.reading, memoryAvailableBytes: 2 ** 20 };
    await stage.clock.advance(11_000);
    assert.equal(stage.control.registrations, 2);
    assert.equal(stage.control.node?.status.conditions.find(({ type }) => type === "MemoryPressure")?.status, "True");
  });

  test("without a network for pods none that needs it is started; what runs goes on, is stopped, and others start", async () => {
    const stage = await staged();
    const old = await stage.run(podOf({ containers: [web()] }));
    const clash = 'the Docker network "styrmann" has 10.1.0.0/24: docker network rm styrmann';
    stage.driver.network = clash;
    await stage.clock.advance(15_000);
    const said = () => stage.control.node?.status.conditions.find(({ type }) => type === "NetworkUnavailable");
    assert.deepEqual([said()?.status, said()?.reason, said()?.message], ["True", "PodNetworkMissing", clash]);
    assert.deepEqual(stage.control.node?.status.drivers.fake, { ready: true });
    const late = await stage.run(podOf({ containers: [web()] }));
    assert.equal(waitingWords(stage, late), clash);
    assert.equal(stage.control.status(late).containerStatuses?.[0]?.state.waiting?.reason, "NetworkNotReady");
    const onHost = await stage.run(podOf({ hostNetwork: true, containers: [web()] }));
    assert.equal(stage.control.status(onHost).phase, "Running");
    stage.driver.exit(ref(onHost, 0), 1);
    await stage.clock.advance(1_000);
    assert.equal(stage.driver.running().filter(({ ref: { podUid } }) => podUid === onHost.metadata.uid).length, 1);
    assert.equal(stage.control.status(old).phase, "Running");
    stage.control.remove(old);
    await stage.clock.advance(40_000);
    assert.ok(!stage.driver.running().some(({ ref: { podUid } }) => podUid === old.metadata.uid), "it was stopped");
    stage.driver.network = undefined;
    await stage.clock.advance(15_000);
    assert.equal(stage.control.status(late).phase, "Running");
    assert.equal(said(), undefined);
  });

  test("a host's new address is the node's, and that of pods on the host's network; other pods keep theirs", async () => {
    const stage = await staged();
    const onHost = await stage.run(podOf({ hostNetwork: true, containers: [web()] }));
    const inside = await stage.run(podOf({ containers: [web()] }));
    const own = stage.control.status(inside).podIP;
    stage.hostAddress = "192.0.2.77";
    stage.agent.readdressed();
    await stage.clock.advance(1_000);
    assert.equal(stage.control.node?.status.addresses[0]?.address, "192.0.2.77");
    const { hostIP, podIP } = stage.control.status(onHost);
    assert.deepEqual([hostIP, podIP], ["192.0.2.77", "192.0.2.77"]);
    assert.deepEqual([stage.control.status(inside).hostIP, stage.control.status(inside).podIP], ["192.0.2.77", own]);
  });

  test("a host that cannot be read for a while stays as it was, and pods go on", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    stage.isUnreadable = true;
    await stage.clock.advance(35_000);
    assert.equal(stage.control.status(pod).phase, "Running");
    assert.equal(stage.control.registrations, 1);
    stage.isUnreadable = false;
    stage.reading = { ...stage.reading, memoryAvailableBytes: 2 ** 20 };
    await stage.clock.advance(11_000);
    assert.equal(stage.control.registrations, 2);
  });

  test("a crash is followed by a new attempt at once, the next ones wait 10 s and 20 s", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    stage.driver.exit(ref(pod, 0), 1);
    await stage.clock.advance(100);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 1);
    stage.driver.exit(ref(pod, 1), 1);
    await stage.clock.advance(9_000);
    const waiting = stage.control.status(pod).containerStatuses?.[0];
    assert.equal(waiting?.state.waiting?.reason, "CrashLoopBackOff");
    assert.match(waiting?.state.waiting?.message ?? "", /back-off 10s restarting failed container=web/);
    assert.equal(waiting?.lastState?.terminated?.exitCode, 1);
    assert.equal(stage.control.status(pod).phase, "Running");
    await stage.clock.advance(1_100);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 2);
    stage.driver.exit(ref(pod, 2), 1);
    await stage.clock.advance(19_000);
    assert.equal(stage.driver.running().length, 0);
    await stage.clock.advance(1_100);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.restartCount, 3);
    assert(stage.control.reasons().includes("BackOff"));
    assert.deepEqual(
      [...stage.driver.runs.values()].map((run) => run.ref.attempt),
      [2, 3],
      "older runs are taken away",
    );
  });

  test("what a container wrote to its termination file is its end's message; else, if asked, the end of its output", async () => {
    const stage = await staged();
    const terminationMessagePath = "/dev/termination-log";
    const fallback = { terminationMessagePath, terminationMessagePolicy: "FallbackToLogsOnError" as const };
    const containers = [
      web({ name: "says", terminationMessagePath }),
      web({ name: "silent", terminationMessagePath }),
      web({ name: "prints", ...fallback }),
      web({ name: "ends-well", ...fallback }),
    ];
    const pod = await stage.run(podOf({ containers, restartPolicy: "Never" }));
    const file = { hostPath: `/words/${pod.metadata.uid}/says/0`, mountPath: terminationMessagePath, readOnly: false };
    assert.deepEqual(stage.driver.specs[0]?.mounts, [file]);
    stage.volumes.words.set(`${pod.metadata.uid}/says/0`, "no database");
    for (const { name } of containers) stage.driver.exit(ref(pod, 0, name), name === "ends-well" ? 0 : 1);
    await stage.clock.advance(1_000);
    assert.deepEqual(
      stage.control.status(pod).containerStatuses?.map(({ state }) => state.terminated?.message),
      ["no database", undefined, `output of ${pod.metadata.uid}/prints/0`, undefined],
    );
  });

  test("a command that cannot be executed ends its run when it begins: restarts are counted and back off to 5 minutes", async () => {
    const stage = await staged();
    const words = 'exec: "nosuch": executable file not found in $PATH';
    stage.driver.startFailures.set(
      "web",
      new DriverError(words, { temporary: false, reason: "RunContainerError", exitCode: 127 }),
    );
    const pod = await stage.run(podOf({ containers: [web()] }));
    await stage.clock.advance(5_000);
    const status = () => stage.control.status(pod).containerStatuses?.[0];
    assert.equal(status()?.state.waiting?.reason, "CrashLoopBackOff");
    assert.equal(status()?.restartCount, 1);
    const { reason, exitCode, message } = status()?.lastState?.terminated ?? {};
    assert.deepEqual([reason, exitCode, message], ["StartError", 127, words]);
    assert(stage.control.reasons().includes("Failed"));
    await stage.clock.advance(1_200_000);
    const starts = () => stage.driver.asked.filter((asked) => asked.startsWith("start")).length;
    const soFar = starts();
    // 0, 10, 20, 40, 80, 160, then every 300 s.
    assert.ok(soFar >= 8 && soFar <= 10, `${soFar} starts in 20 minutes`);
    await stage.clock.advance(600_000);
    assert.equal(starts() - soFar, 2);
    const left = stage.driver.asked.filter((asked) => asked.startsWith("remove")).length;
    assert.ok(left >= soFar - 2, "what is left of older attempts is taken away");
    stage.driver.startFailures.clear();
    await stage.clock.advance(300_000);
    assert.equal(stage.driver.running().length, 1);
  });

  test("with restart policy Never a command that cannot be executed fails the pod", async () => {
    const stage = await staged();
    const words = "exec format error";
    stage.driver.startFailures.set("web", new DriverError(words, { temporary: false, reason: "RunContainerError" }));
    const pod = await stage.run(podOf({ containers: [web()], restartPolicy: "Never" }));
    assert.equal(stage.control.status(pod).phase, "Failed");
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.state.terminated?.exitCode, 128);
  });

  test("a run of ten minutes forgives the crashes before it", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    for (const attempt of [0, 1]) {
      stage.driver.exit(ref(pod, attempt), 1);
      await stage.clock.advance(11_000);
    }
    await stage.clock.advance(600_000);
    stage.driver.exit(ref(pod, 2), 1);
    await stage.clock.advance(100);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 3);
  });

  test("with restart policy Never a failure fails the pod, with the exit code in words; a success succeeds it", async () => {
    const stage = await staged();
    const failing = await stage.run(podOf({ containers: [web()], restartPolicy: "Never" }));
    stage.driver.exit(ref(failing, 0), 3);
    const ending = await stage.run(podOf({ containers: [web()], restartPolicy: "OnFailure" }));
    stage.driver.exit(ref(ending, 0), 0);
    await stage.clock.advance(1_000);
    assert.equal(stage.control.status(failing).phase, "Failed");
    assert.match(stage.control.status(failing).message ?? "", /container web failed with exit code 3/);
    assert.equal(stage.control.status(ending).phase, "Succeeded");
    assert.equal(stage.driver.running().length, 0);
  });

  test("init containers run one after another, a sidecar beside what follows it", async () => {
    const stage = await staged();
    const init = [web({ name: "one" }), web({ name: "side", restartPolicy: "Always" }), web({ name: "two" })];
    const pod = await stage.run(podOf({ initContainers: init, containers: [web()] }));
    assert.deepEqual(
      stage.driver.running().map(({ ref }) => ref.container),
      ["one"],
    );
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.state.waiting?.reason, "PodInitializing");
    stage.driver.exit(ref(pod, 0, "one"), 0);
    await stage.clock.advance(100);
    assert.deepEqual(
      stage.driver.running().map(({ ref }) => ref.container),
      ["side", "two"],
    );
    stage.driver.exit(ref(pod, 0, "two"), 1);
    await stage.clock.advance(100);
    assert.equal(stage.driver.running("two")[0]?.ref.attempt, 1, "a failed init container is tried again");
    stage.driver.exit(ref(pod, 1, "two"), 0);
    await stage.clock.advance(100);
    assert.deepEqual(
      stage.driver.running().map(({ ref }) => ref.container),
      ["side", "web"],
    );
    assert.equal(stage.control.status(pod).phase, "Running");
  });

  test("behind an init container that is not done the others are PodInitializing, also after it failed for good", async () => {
    const stage = await staged();
    const initContainers = [web({ name: "one" }), web({ name: "two" })];
    const pod = await stage.run(podOf({ containers: [web()], initContainers, restartPolicy: "Never" }));
    const reasons = () => {
      const { initContainerStatuses = [], containerStatuses = [] } = stage.control.status(pod);
      return [...initContainerStatuses.slice(1), ...containerStatuses].map(({ state }) => state.waiting?.reason);
    };
    assert.deepEqual(reasons(), ["PodInitializing", "PodInitializing"]);
    stage.driver.exit(ref(pod, 0, "one"), 1);
    await stage.clock.advance(1_000);
    assert.equal(stage.control.status(pod).phase, "Failed");
    assert.deepEqual(reasons(), ["PodInitializing", "PodInitializing"]);
    assert.deepEqual(conditionsOf(stage, pod), [
      "PodReadyToStartContainers False",
      "Initialized False ContainersNotInitialized",
      "Ready False PodFailed",
      "ContainersReady False PodFailed",
      "PodScheduled True",
    ]);
  });

  test("the conditions of a pod that has done its work say PodCompleted", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()], restartPolicy: "Never" }));
    stage.driver.exit(ref(pod, 0), 0);
    await stage.clock.advance(1_000);
    assert.deepEqual(conditionsOf(stage, pod), [
      "PodReadyToStartContainers False",
      "Initialized True PodCompleted",
      "Ready False PodCompleted",
      "ContainersReady False PodCompleted",
      "PodScheduled True",
    ]);
  });

  test("a readiness gate keeps the pod, and not its containers, from being ready until somebody opens it", async () => {
    const stage = await staged();
    const readinessGates = [{ conditionType: "example.com/in-balancer" }];
    const pod = await stage.run(podOf({ containers: [web()], readinessGates }));
    const ready = () => stage.control.status(pod).conditions?.find(({ type }) => type === "Ready");
    assert.equal(
      ready()?.message,
      'corresponding condition of pod readiness gate "example.com/in-balancer" does not exist.',
    );
    assert(conditionsOf(stage, pod).includes("ContainersReady True"));
    const conditions = [{ type: "example.com/in-balancer", status: "True" as const }];
    stage.control.assign({ ...pod, status: { ...pod.status, conditions } });
    await stage.clock.advance(100);
    assert.equal(ready()?.status, "True");
  });

  test("an image that cannot be pulled keeps the pod pending, with the engine's own words, and is tried again", async () => {
    const stage = await staged();
    stage.driver.prepareFailures.set(
      "web:1",
      new DriverError("manifest unknown", { temporary: false, reason: "ErrImagePull" }),
    );
    const pod = await stage.run(podOf({ containers: [web()] }));
    const first = stage.control.status(pod).containerStatuses?.[0]?.state.waiting;
    assert.deepEqual(first, { reason: "ErrImagePull", message: "manifest unknown" });
    assert.equal(stage.control.status(pod).phase, "Pending");
    const { reason, message } = stage.control.status(pod);
    assert.deepEqual([reason, message], [undefined, undefined], "as in Kubernetes, the container says it");
    await stage.clock.advance(11_000);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.state.waiting?.reason, "ImagePullBackOff");
    stage.driver.prepareFailures.clear();
    await stage.clock.advance(21_000);
    assert.equal(stage.control.status(pod).phase, "Running");
  });

  test("a registry that nobody finds is asked after 10 s, 20 s, … 300 s, not every 30 s", async () => {
    const stage = await staged();
    const words = "lookup registry.example: no such host";
    stage.driver.prepareFailures.set("web:1", new DriverError(words, { temporary: true, reason: "ErrImagePull" }));
    await stage.run(podOf({ containers: [web()] }));
    await stage.clock.advance(9_000);
    const tries = () => stage.driver.asked.filter((asked) => asked.startsWith("prepare")).length;
    assert.equal(tries(), 1);
    await stage.clock.advance(3_600_000);
    // 10, 20, 40, 80, 160 and then every 300 s: 5 + 10 or 11 in the hour.
    assert.ok(tries() >= 15 && tries() <= 18, `${tries()} tries in an hour`);
  });

  test("a driver that is not ready is the pod's stated reason; when it is ready, the pod starts", async () => {
    const stage = new Stage();
    stage.driver.ready = false;
    await stage.start();
    const pod = await stage.run(podOf({ containers: [web()] }));
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.state.waiting?.reason, "DriverNotReady");
    assert.match(waitingWords(stage, pod), /no engine answers/);
    stage.driver.ready = true;
    await stage.clock.advance(11_000);
    assert.equal(stage.control.status(pod).phase, "Running");
  });

  test("a pod that no longer fits fails with the numbers, and the others go on", async () => {
    const stage = await staged();
    const big = { resources: { requests: { cpu: "3" } } };
    const first = await stage.run(podOf({ containers: [web(big)] }));
    const second = await stage.run(podOf({ containers: [web(big)] }));
    assert.equal(stage.control.status(first).phase, "Running");
    assert.equal(stage.control.status(second).phase, "Failed");
    assert.equal(stage.control.status(second).reason, "OutOfcpu");
    assert.match(stage.control.status(second).message ?? "", /needs 3 CPU, 800m of 3800m free/);
  });

  test("activeDeadlineSeconds ends the pod", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()], activeDeadlineSeconds: 60 }));
    await stage.clock.advance(59_000);
    assert.equal(stage.control.status(pod).phase, "Running");
    await stage.clock.advance(2_000);
    assert.equal(stage.control.status(pod).reason, "DeadlineExceeded");
    assert.equal(stage.driver.running().length, 0);
  });
});

describe("agent: deletion", () => {
  test("a pod past its deadline is not ready while it is being stopped", async () => {
    const stage = await staged();
    stage.driver.stubborn.add("web");
    const pod = await stage.run(podOf({ containers: [web()], activeDeadlineSeconds: 10 }));
    await stage.clock.advance(11_000);
    assert.equal(stage.driver.running().length, 1, "it takes its grace");
    assert(conditionsOf(stage, pod).includes("Ready False PodFailed"));
    assert(conditionsOf(stage, pod).includes("ContainersReady False PodFailed"));
  });

  test("a deleted pod is stopped with its grace, removed with everything it had, and only then gone", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()], volumes: [{ name: "v", emptyDir: {} }] }));
    stage.driver.stubborn.add("web");
    stage.control.remove(pod, 20);
    await stage.clock.advance(19_000);
    assert.equal(stage.driver.running().length, 1);
    assert.notEqual(stage.control.statuses.get(pod.metadata.uid), "gone");
    await stage.clock.advance(1_500);
    assert.equal(stage.control.statuses.get(pod.metadata.uid), "gone");
    assert.equal(stage.driver.runs.size, 0);
    assert.deepEqual(stage.driver.released, [pod.metadata.uid]);
    assert.equal(stage.volumes.made.size, 0);
    assert.equal(stage.addresses().size, 0);
    assert.deepEqual(await stage.record.load(), []);
  });

  test("asking again with less grace hurries", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    stage.driver.stubborn.add("web");
    stage.control.remove(pod, 300);
    await stage.clock.advance(1_000);
    stage.control.remove(pod, 0);
    await stage.clock.advance(1_000);
    assert.equal(stage.control.statuses.get(pod.metadata.uid), "gone");
  });

  test("a hook that sleeps takes its time", async () => {
    const stage = await staged();
    const lifecycle = { preStop: { sleep: { seconds: 5 } } };
    const pod = await stage.run(podOf({ containers: [web({ lifecycle })] }));
    stage.control.remove(pod);
    await stage.clock.advance(4_000);
    assert.equal(stage.driver.running().length, 1);
    await stage.clock.advance(2_000);
    assert.equal(stage.driver.running().length, 0);
  });

  test("a start that fails for a moment is tried after 1 s, 2 s, 4 s … although each pull goes well", async () => {
    const stage = await staged();
    const words = "port is already allocated";
    stage.driver.startFailures.set("web", new DriverError(words, { temporary: true, reason: "RunContainerError" }));
    const pod = await stage.run(podOf({ containers: [web()] }));
    await stage.clock.advance(60_000);
    const starts = stage.driver.asked.filter((asked) => asked.startsWith("start")).length;
    assert.ok(starts >= 5 && starts <= 8, `${starts} starts in a minute`);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.restartCount, 0);
  });

  test("the preStop hook runs before the stop", async () => {
    const stage = await staged();
    const order: string[] = [];
    const probe = stage.driver.probe.bind(stage.driver);
    stage.driver.probe = (ref, command) => {
      order.push(`${command.join(" ")} while ${stage.driver.running().length} runs`);
      return probe(ref, command);
    };
    const lifecycle = { preStop: { exec: { command: ["bye"] } }, postStart: { exec: { command: ["hello"] } } };
    const pod = await stage.run(podOf({ containers: [web({ lifecycle })] }));
    stage.control.remove(pod);
    await stage.clock.advance(1_000);
    assert.deepEqual(order, ["hello while 1 runs", "bye while 1 runs"]);
    assert.equal(stage.control.statuses.get(pod.metadata.uid), "gone");
  });

  test("a pod that is deleted while its image is pulled is gone at once", async () => {
    const stage = await staged();
    stage.driver.prepareMs = 600_000;
    const pod = await stage.run(podOf({ containers: [web()] }));
    stage.control.remove(pod);
    await stage.clock.advance(1_000);
    assert.equal(stage.control.statuses.get(pod.metadata.uid), "gone");
    assert.equal(stage.driver.asked.filter((asked) => asked.startsWith("start")).length, 0);
    assert.equal(stage.driver.abandoned, 1, "and the pull is called off");
  });

  test("a pod that is taken from the node without a mark is stopped too", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    stage.control.take(pod);
    await stage.clock.advance(1_000);
    assert.equal(stage.driver.runs.size, 0);
  });
});

describe("agent: adoption and the local record", () => {
  test("a new agent adopts what runs and restarts nothing", async () => {
    const stage = await staged();
    const pod = await stage.run(
      podOf({ containers: [web({ readinessProbe: { exec: { command: ["ok"] } } }), web({ name: "b" })] }),
    );
    await stage.clock.advance(11_000);
    const before = stage.driver.running();
    const said = stage.control.history.length;
    await stage.restart();
    await stage.clock.advance(30_000);
    assert.deepEqual(stage.driver.running(), before);
    assert.deepEqual(stage.control.status(pod).phase, "Running");
    const unready = stage.control.history
      .slice(said)
      .filter(({ status }) => status !== "gone" && status.containerStatuses?.some(({ ready }) => !ready));
    assert.deepEqual(unready, [], "readiness does not flap");
  });

  test("what ended while no agent ran is caught up by the restart policy", async () => {
    const stage = await staged();
    const kept = await stage.run(podOf({ containers: [web()] }));
    const once = await stage.run(podOf({ containers: [web()], restartPolicy: "Never" }));
    await stage.agent.stop();
    stage.driver.exit(ref(kept, 0), 1);
    stage.driver.exit(ref(once, 0), 0);
    stage.driver.runs.delete(`${once.metadata.uid}/never/0`);
    await stage.restart();
    await stage.clock.advance(100);
    assert.equal(stage.driver.running().length, 1);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 1);
    assert.equal(stage.control.status(once).phase, "Succeeded");
  });

  test("while the control plane is away pods run on, crashes are restarted, and the news are told later", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    stage.control.away = true;
    stage.driver.exit(ref(pod, 0), 1);
    await stage.clock.advance(60_000);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 1);
    stage.control.away = false;
    await stage.clock.advance(11_000);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.restartCount, 1);
  });

  test("a reboot brings back what was asked for before anyone talks to it; units come back whatever their policy", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    const unit = { name: "u.service", options: [] };
    const unitPod = await stage.run(
      podOf({ containers: [{ name: "u", driver: "unit", unit }], restartPolicy: "Never" }),
    );
    await stage.clock.advance(1_000);
    await stage.agent.stop();
    stage.driver.powerCut();
    stage.unit.powerCut();
    stage.reading = { ...stage.reading, bootId: "boot-2" };
    stage.control.away = true;
    await stage.restart();
    await stage.clock.advance(1_000);
    assert.deepEqual(
      stage.driver.running().map((run) => run.ref),
      [ref(pod, 1)],
    );
    assert.deepEqual(
      stage.unit.running().map((run) => run.ref),
      [ref(unitPod, 1, "u")],
    );
    assert.equal(stage.driver.running()[0]?.address, "10.0.0.2", "with the address it had");
    stage.control.away = false;
    await stage.clock.advance(20_000);
    assert.equal(stage.control.status(unitPod).phase, "Running");
  });

  test("what was told is not taken back after a power cut, however soon it comes", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()], restartPolicy: "Never" }));
    stage.driver.exit(ref(pod, 0), 0);
    await stage.clock.advance(30);
    assert.equal(stage.control.status(pod).phase, "Succeeded");
    const kept = await stage.record.load();
    await stage.agent.stop();
    for (const record of kept) await stage.record.save(record);
    stage.driver.powerCut();
    stage.reading = { ...stage.reading, bootId: "boot-2" };
    await stage.restart();
    await stage.clock.advance(60_000);
    assert.equal(stage.control.status(pod).phase, "Succeeded");
    assert.equal(stage.driver.running().length, 0);
  });

  test("runs of nobody's pods stay until the control plane has said what is assigned", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    const other = podOf({ containers: [web()] });
    await stage.agent.stop();
    await stage.record.remove(pod.metadata.uid);
    stage.control.away = true;
    await stage.restart();
    await stage.clock.advance(300_000);
    assert.equal(stage.driver.running().length, 1, "nobody said that it is not wanted");
    stage.control.pods.clear();
    stage.control.pods.set(other.metadata.uid, other);
    stage.control.away = false;
    stage.control.sendAll();
    await stage.clock.advance(1_000);
    assert.deepEqual(
      stage.driver.running().map((run) => run.ref.podUid),
      [other.metadata.uid],
    );
    assert(stage.driver.released.includes(pod.metadata.uid));
  });

  test("an empty answer while pods run is put in doubt, and believed when it stays", async () => {
    const stage = await staged();
    await stage.run(podOf({ containers: [web()] }));
    stage.control.pods.clear();
    stage.control.sendAll();
    await stage.clock.advance(29_000);
    assert.equal(stage.driver.running().length, 1);
    await stage.clock.advance(2_000);
    assert.equal(stage.driver.running().length, 0);
  });

  test("an empty answer that is taken back stops nothing", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    stage.control.pods.clear();
    stage.control.sendAll();
    await stage.clock.advance(10_000);
    stage.control.pods.set(pod.metadata.uid, pod);
    await stage.clock.advance(60_000);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 0);
  });

  test("a pod whose record is lost is adopted with its attempt and its address, not admitted anew", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web({ resources: { requests: { cpu: "3" } } })] }));
    stage.driver.exit(ref(pod, 0), 1);
    await stage.clock.advance(100);
    await stage.agent.stop();
    await stage.record.remove(pod.metadata.uid);
    stage.control.pods.set(pod.metadata.uid, { ...pod, status: stage.control.status(pod) });
    await stage.restart();
    await stage.clock.advance(20_000);
    assert.deepEqual(
      stage.driver.running().map((run) => run.ref),
      [ref(pod, 1)],
    );
    assert.equal(stage.control.status(pod).phase, "Running");
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.ready, true);
  });

  test("a driver that cannot say what it runs starts nothing and loses nothing", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    await stage.agent.stop();
    stage.driver.listFails = true;
    stage.driver.asked.length = 0;
    await stage.restart();
    await stage.clock.advance(60_000);
    assert.deepEqual(
      stage.driver.running().map((run) => run.ref),
      [ref(pod, 0)],
    );
    assert.deepEqual(stage.driver.asked, []);
    stage.driver.listFails = false;
    await stage.clock.advance(40_000);
    assert.deepEqual(
      stage.driver.running().map((run) => run.ref),
      [ref(pod, 0)],
    );
    assert.equal(stage.control.status(pod).phase, "Running");
  });

  test("a container that somebody removed behind our back is seen when changes were lost, and runs again", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    stage.driver.runs.clear();
    stage.driver.lose();
    await stage.clock.advance(1_000);
    assert.deepEqual(
      stage.driver.running().map((run) => run.ref),
      [ref(pod, 1)],
    );
  });

  test("removeEverything leaves nothing of ours", async () => {
    const stage = await staged();
    await stage.run(podOf({ containers: [web(), web({ name: "b" })] }));
    await stage.run(podOf({ containers: [web()] }));
    const seen: number[] = [];
    const { failures } = await stage.agent.removeEverything(({ done }) => seen.push(done));
    assert.equal(failures, 0);
    assert.equal(stage.driver.runs.size, 0);
    assert.deepEqual(seen, [1, 2, 3]);
    assert.equal(stage.driver.released.length, 2);
    assert.deepEqual(await stage.record.load(), []);
  });
});

describe("agent: probes and health checks", () => {
  test("a pod is ready when its readiness probe says so, and not before", async () => {
    const stage = await staged();
    const url = "http://10.0.0.2:8080/ok";
    const readinessProbe = { httpGet: { port: "http", path: "/ok" }, periodSeconds: 5 };
    const pod = await stage.run(
      podOf({ containers: [web({ readinessProbe, ports: [{ name: "http", containerPort: 8080 }] })] }),
    );
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.ready, false);
    stage.transport.http.set(url, 200);
    await stage.clock.advance(5_100);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.ready, true);
    stage.transport.http.set(url, 500);
    await stage.clock.advance(15_100);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.ready, false);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 0, "readiness restarts nothing");
  });

  test("on a network of the user's, probes and hooks ask at the address that it has there", async () => {
    const stage = await staged();
    const [at, began] = ["http://172.20.0.5:8080/ok", "http://172.20.0.5:8080/began"];
    stage.transport.http.set(began, 200);
    const get = (path: string) => ({ httpGet: { port: "http", path } });
    const [lifecycle, readinessProbe] = [{ postStart: get("/began") }, { ...get("/ok"), periodSeconds: 5 }];
    const ports = [{ name: "http", containerPort: 8080 }];
    const pod = await stage.run(
      podOf({ containers: [web({ docker: { network: "theirs" }, lifecycle, readinessProbe, ports })] }),
    );
    await stage.clock.advance(5_100);
    assert.deepEqual([...new Set(stage.transport.asked)].sort(), [began, at]);
    assert.equal(stage.control.status(pod).podIP, "172.20.0.5");
  });

  test("a failed liveness probe restarts the container and says which probe and what it answered", async () => {
    const stage = await staged();
    const livenessProbe = { exec: { command: ["alive"] }, periodSeconds: 10, failureThreshold: 2 };
    const pod = await stage.run(podOf({ containers: [web({ livenessProbe })] }));
    stage.driver.probeAnswers.set("alive", { exitCode: 7, output: "no pulse" });
    await stage.clock.advance(21_000);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 1);
    const words = stage.control.events.map(({ message }) => message).join("\n");
    assert.match(words, /Liveness probe failed: command ended with exit code 7: no pulse/);
    assert.match(words, /Container web failed liveness probe: .*no pulse/);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.lastState?.terminated?.exitCode, 143);
  });

  test("the startup probe holds the others back", async () => {
    const stage = await staged();
    const startupProbe = { exec: { command: ["up"] }, periodSeconds: 10, failureThreshold: 30 };
    const livenessProbe = { exec: { command: ["alive"] }, failureThreshold: 1 };
    stage.driver.probeAnswers.set("up", { exitCode: 1, output: "" });
    stage.driver.probeAnswers.set("alive", { exitCode: 1, output: "" });
    const pod = await stage.run(podOf({ containers: [web({ startupProbe, livenessProbe })] }));
    await stage.clock.advance(60_000);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 0);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.started, false);
    stage.driver.probeAnswers.delete("up");
    stage.driver.probeAnswers.delete("alive");
    await stage.clock.advance(10_000);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.ready, true);
  });

  test("Marathon's health checks: grace before the first success, a kill on the failure after the maximum", async () => {
    const stage = await staged();
    const check = {
      httpGet: { port: 0, path: "/" },
      assignedPort: "http",
      intervalSeconds: 10,
      timeoutSeconds: 5,
      graceSeconds: 35,
      killAfterFailures: 2,
    };
    const ports = [{ name: "http", containerPort: 80, hostPort: 31_005 }];
    const pod = await stage.run(podOf({ containers: [web({ healthChecks: [check], ports })] }));
    await stage.clock.advance(30_000);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.healthResults?.[0]?.consecutiveFailures, 0);
    assert.equal(stage.transport.asked[0], "http://192.0.2.1:31005/");
    await stage.clock.advance(20_100);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.healthResults?.[0]?.consecutiveFailures, 2);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 0);
    stage.transport.http.set("http://192.0.2.1:31005/", 200);
    await stage.clock.advance(10_000);
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.ready, true);
    stage.transport.http.clear();
    await stage.clock.advance(30_100);
    assert.equal(stage.driver.running()[0]?.ref.attempt, 1);
  });
});

describe("agent: changes of a bound pod", () => {
  test("a changed image restarts that container alone, without back-off", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web(), web({ name: "b" })], restartPolicy: "Never" }));
    const [first, second] = pod.spec.containers;
    assert(first && second);
    await stage.run({ ...pod, spec: { ...pod.spec, containers: [{ ...first, image: "web:2" }, second] } });
    await stage.clock.advance(100);
    assert.deepEqual(
      stage.driver.running().map((run) => run.ref),
      [ref(pod, 0, "b"), ref(pod, 1)],
    );
    assert.equal(stage.driver.running("web")[0]?.image, "web:2");
    assert.equal(stage.control.status(pod).phase, "Running");
  });

  test("a unit that is only loaded is Running with Loaded as its container's word; it starts and stops with unit.start", async () => {
    const stage = await staged();
    const unitOf = (start: boolean) => ({
      name: "u",
      driver: "unit" as const,
      unit: { name: "u.service", options: [], start },
    });
    const pod = await stage.run(podOf({ containers: [unitOf(false)], restartPolicy: "Never" }));
    assert.equal(stage.control.status(pod).phase, "Running");
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.state.waiting?.reason, "Loaded");
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.ready, false);
    const withStart = (start: boolean) => ({ ...pod, spec: { ...pod.spec, containers: [unitOf(start)] } });
    await stage.run(withStart(true));
    assert.deepEqual(
      stage.unit.running().map((run) => run.ref),
      [ref(pod, 0, "u")],
    );
    await stage.run(withStart(false));
    assert.equal(stage.unit.running().length, 0);
    assert.equal(stage.control.status(pod).phase, "Running");
    assert.equal(stage.control.status(pod).containerStatuses?.[0]?.state.waiting?.reason, "Loaded");
    await stage.run(withStart(true));
    assert.deepEqual(
      stage.unit.running().map((run) => run.ref),
      [ref(pod, 0, "u")],
    );
  });
});

describe("agent: values and variables", () => {
  test("variables are resolved, a missing secret is the stated reason until it is there, and restarts need nobody", async () => {
    const stage = await staged();
    const env = [
      { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "GREETING", value: "hi $(NAME) at $(IP), $$(NAME)" },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "KEY", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
    ];
    const pod = await stage.run(podOf({ containers: [web({ env, args: ["--key=$(KEY)"] })] }, "env"));
    assert.match(waitingWords(stage, pod), /secret "s" not found/);
    stage.control.values.set("Secret/default/s", { k: "v" });
    await stage.clock.advance(5_000);
    const run = stage.driver.specs[0];
    assert.deepEqual(run?.env, { NAME: "env", GREETING: "hi env at $(IP), $(NAME)", IP: "10.0.0.2", KEY: "v" });
    assert.deepEqual(run?.spec.args, ["--key=v"]);
    await stage.clock.advance(1_000);
    stage.control.away = true;
    await stage.restart();
    stage.driver.exit(ref(pod, 0), 1);
    await stage.clock.advance(1_000);
    assert.equal(stage.driver.specs[1]?.env.KEY, "v");
  });

  test("a container whose envFrom is not there waits with CreateContainerConfigError until it is; its neighbour runs", async () => {
    const stage = await staged();
    const envFrom = [{ prefix: "C_", configMapRef: { name: "settings" } }];
    const pod = await stage.run(podOf({ containers: [web({ name: "plain" }), web({ envFrom })] }));
    const waiting = stage.control.status(pod).containerStatuses?.[1]?.state.waiting;
    assert.deepEqual(waiting, { reason: "CreateContainerConfigError", message: 'configmap "settings" not found' });
    assert.equal(stage.driver.running("plain").length, 1);
    stage.control.values.set("ConfigMap/default/settings", { COLOUR: "blue" });
    await stage.clock.advance(31_000);
    assert.deepEqual(stage.driver.specs.at(-1)?.env, { C_COLOUR: "blue" });
  });
});

describe("agent: access and quiet", () => {
  test("logs come from the present run, or the one before", async () => {
    const stage = await staged();
    const pod = await stage.run(podOf({ containers: [web()] }));
    const read = async (previous: boolean) => {
      let text = "";
      const at = { nodeName: "n1", uid: pod.metadata.uid };
      for await (const { data } of stage.agent.access.logs(at, { previous })) text += new TextDecoder().decode(data);
      return text;
    };
    await assert.rejects(read(true), /previous terminated container "web"/);
    stage.driver.exit(ref(pod, 0), 1);
    await stage.clock.advance(100);
    assert.match(await read(false), /web\/1$/);
    assert.match(await read(true), /web\/0$/);
    assert.deepEqual(await stage.agent.access.usage({ nodeName: "n1", uid: pod.metadata.uid }), {
      web: { cpuMillis: 5, memoryBytes: 1024 },
    });
  });

  test("a hundred quiet pods set no timers and report nothing", async () => {
    const stage = await staged();
    stage.control.assign(...Array.from({ length: 100 }, () => podOf({ containers: [web()] })));
    await stage.clock.advance(5_000);
    assert.equal(stage.driver.running().length, 100);
    const { reports } = stage.control;
    await stage.clock.advance(60_000);
    assert.equal(stage.control.reports, reports);
    for (let n = 0; n < 5; n++) {
      stage.control.sendAll();
      await stage.clock.advance(1_000);
    }
    assert.equal(stage.control.reports, reports, "what is known is not told again");
    // The heartbeat, the looks at the host and at the drivers' health, and the lease's end.
    assert(stage.clock.timers <= 5, `${stage.clock.timers} timers wait`);
  });
});

function ref(pod: { readonly metadata: { readonly uid: string } }, attempt: number, container = "web") {
  return { podUid: pod.metadata.uid, container, attempt };
}
