import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Agent } from "../../src/agent/agent.ts";
import type { AgentOptions } from "../../src/agent/agent-options.ts";
import { FakeDriver } from "../../src/drivers/fake/fake-driver.ts";
import { FakeMachine } from "../../src/drivers/fake/fake-machine.ts";
import { withDisruption, withoutDisruption } from "../../src/model/disruption.ts";
import type { LeaseTerms } from "../../src/model/heartbeat.ts";
import type { DriverName, Pod } from "../../src/model/pod.ts";
import { podOf, Stage } from "./agent-stage.ts";

const TERMS: LeaseTerms = { heartbeatMs: 1_000, exclusiveMs: 40_000, rebootGraceMs: 180_000 };

/** A node whose runs outlive its agents, with a control plane that can be cut off. */
class Node extends Stage {
  readonly machine = new FakeMachine(this.clock);
  readonly more: Partial<AgentOptions>;

  constructor(more: Partial<AgentOptions> = {}) {
    super();
    this.more = more;
    this.control.terms = TERMS;
    this.renew();
  }

  renew(): void {
    const drivers = new Map([["docker" as DriverName, new FakeDriver({ machine: this.machine, name: "docker" })]]);
    this.agent = new Agent({ ...this.options(), drivers, ...this.more });
  }

  /** As kill -9: what the old one holds acts no more. */
  async crashAndStart(): Promise<void> {
    await this.kill();
    this.renew();
    await this.start();
  }

  async kill(): Promise<void> {
    const { away } = this.control;
    this.control.away = true;
    await this.agent.stop();
    this.control.away = away;
  }

  cut(): void {
    this.control.away = true;
  }

  join(): void {
    this.control.away = false;
    this.control.sendAll();
  }

  isRunning({ metadata }: Pod): boolean {
    return [...this.machine.runs.values()].some(
      ({ observed }) => observed.ref.podUid === metadata.uid && observed.state === "running",
    );
  }

  waiting(pod: Pod) {
    return this.agent.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid)?.status.containerStatuses?.[0]
      ?.state.waiting;
  }
}

function exclusive(image = "fake/run", more: Partial<Pod["spec"]> = {}): Pod {
  return podOf({ containers: [{ name: "main", image }], exclusive: true, ...more });
}

async function running(pod: Pod, node = new Node()): Promise<Node> {
  await node.start();
  await node.run(pod);
  await node.clock.advance(1_000);
  assert(node.isRunning(pod), "it runs once the control plane has said so");
  return node;
}

describe("fence: a pod that may run once only, on a host that is cut off", () => {
  test("stops after half of the time and is dead after three quarters, counted from the last answered heartbeat", async () => {
    const [pod, slow, other] = [
      exclusive(),
      exclusive("fake/stubborn"),
      podOf({ containers: [{ name: "main", image: "fake/run" }] }),
    ];
    const node = await running(pod);
    await node.run(slow);
    await node.run(other);
    await node.clock.advance(1_000);
    node.cut();
    await node.clock.advance(18_500);
    assert(node.isRunning(pod) && node.isRunning(slow), "a network that is away for 18 s stops nothing");
    await node.clock.advance(2_000);
    assert(!node.isRunning(pod), "after 20 s it is asked to end");
    assert(node.isRunning(slow), "what ignores that has what is left of its grace");
    await node.clock.advance(9_500);
    assert(!node.isRunning(slow), "after 30 s it is killed");
    assert(node.isRunning(other), "pods that may run twice run on");
    assert.equal(node.waiting(pod)?.reason, "Fenced");
    assert.match(node.waiting(pod)?.message ?? "", /this host cannot reach the control plane/);
    await node.agent.stop();
  });

  test("is no crash: no back-off, no restart counted; runs again once the control plane, asked anew, still has it here", async () => {
    const pod = exclusive();
    const node = await running(pod);
    node.cut();
    await node.clock.advance(31_000);
    node.control.away = false;
    await node.clock.advance(5_000);
    assert(node.isRunning(pod), "started again at once");
    const status = node.control.status(pod).containerStatuses?.[0];
    assert.deepEqual([status?.restartCount, status?.ready], [0, true]);
    assert.equal(node.control.status(pod).phase, "Running");
    assert(node.control.reasons().includes("Fenced") && node.control.reasons().includes("Unfenced"));
    await node.agent.stop();
  });

  test("what was known before the lease came back does not open the fence: the pod was given away meanwhile", async () => {
    const pod = exclusive();
    const node = await running(pod);
    node.cut();
    await node.clock.advance(45_000);
    node.control.pods.set(
      pod.metadata.uid,
      withDisruption(pod, "NodeUnreachable", "n1 has been silent for 40 s", node.clock.now()),
    );
    node.control.written.set(pod.metadata.uid, node.control.pods.get(pod.metadata.uid)?.status ?? pod.status);
    node.control.away = false;
    await node.clock.advance(20_000);
    assert(!node.isRunning(pod), "given away is final");
    await node.agent.stop();
  });

  test("a control plane that is merely down stops nothing, and crashes are restarted", async () => {
    const [pod, crashing] = [exclusive(), exclusive("fake/exit-1:after-3s")];
    const node = await running(pod);
    await node.run(crashing);
    node.control.away = true;
    node.control.lease = "refused";
    await node.clock.advance(600_000);
    assert(node.isRunning(pod));
    const attempts = [...node.machine.runs.values()].filter(({ run }) => run.ref.podUid === crashing.metadata.uid);
    assert(
      attempts.some(({ run }) => run.ref.attempt >= 3),
      "restarts go on",
    );
    assert.equal(node.machine.runs.get(`${pod.metadata.uid}/main/0`)?.observed.state, "running");
    await node.agent.stop();
  });

  test("when the control plane withholds the lease, it is given away: dead at once, and back only when renewed and told", async () => {
    const pod = exclusive("fake/stubborn");
    const node = await running(pod);
    node.control.lease = "withheld";
    await node.clock.advance(2_000);
    assert(!node.isRunning(pod));
    node.control.sendAll();
    await node.clock.advance(5_000);
    assert(!node.isRunning(pod), "a list alone does not open the fence");
    node.control.lease = "renewed";
    await node.clock.advance(3_000);
    assert(node.isRunning(pod));
    await node.agent.stop();
  });

  test("a preStop hook does not take it past the end", async () => {
    const hook = { preStop: { sleep: { seconds: 25 } } };
    const pod = podOf({
      exclusive: true,
      containers: [{ name: "main", image: "fake/stubborn", lifecycle: hook }],
      terminationGracePeriodSeconds: 60,
    });
    const node = await running(pod);
    node.cut();
    await node.clock.advance(30_500);
    assert(!node.isRunning(pod));
    await node.agent.stop();
  });

  test("a pod that is being deleted with a long grace is hurried", async () => {
    const pod = exclusive("fake/stubborn", { terminationGracePeriodSeconds: 600 });
    const node = await running(pod);
    node.control.remove(pod, 600);
    await node.clock.advance(1_000);
    node.cut();
    await node.clock.advance(30_500);
    assert(!node.isRunning(pod));
    await node.agent.stop();
  });

  test("one that is to move to another host ends with its grace, and is not started again here", async () => {
    const pod = exclusive();
    const node = await running(pod);
    node.control.assign(withDisruption(pod, "Drain", "n1 is drained", node.clock.now()));
    await node.clock.advance(1_000);
    assert(!node.isRunning(pod));
    assert.equal(node.waiting(pod)?.reason, "Fenced");
    node.control.assign(withoutDisruption(pod, node.clock.now(), false));
    await node.clock.advance(1_000);
    assert(node.isRunning(pod), "called off");
    await node.agent.stop();
  });

  test("an ordinary pod that is to be replaced runs on until it is deleted", async () => {
    const pod = podOf({ containers: [{ name: "main", image: "fake/run" }] });
    const node = await running(pod);
    node.control.assign(withDisruption(pod, "Drain", "n1 is drained", node.clock.now()));
    await node.clock.advance(60_000);
    assert(node.isRunning(pod));
    await node.agent.stop();
  });

  test("a new one waits for the lease, with words", async () => {
    const pod = exclusive();
    const node = new Node();
    node.control.lease = "silent";
    await node.start();
    await node.run(pod);
    await node.clock.advance(5_000);
    assert(!node.isRunning(pod));
    assert.match(node.waiting(pod)?.message ?? "", /waits until the control plane says/);
    node.control.lease = "renewed";
    await node.clock.advance(2_000);
    assert(node.isRunning(pod));
    await node.agent.stop();
  });

  test("a control plane in the same process gives nothing away: nothing is ever stopped", async () => {
    const pod = exclusive();
    const node = new Node();
    node.control.terms = { heartbeatMs: 1_000 };
    await running(pod, node);
    node.control.lease = "silent";
    await node.clock.advance(600_000);
    assert(node.isRunning(pod));
    await node.crashAndStart();
    await node.clock.advance(600_000);
    assert(node.isRunning(pod), "nor after a restart of the agent while nobody answers");
    await node.agent.stop();
  });
});

describe("fence: agents come and go", () => {
  test("a crash and a start of the agent within the lease restart nothing", async () => {
    const pod = exclusive();
    const node = await running(pod);
    await node.crashAndStart();
    await node.clock.advance(60_000);
    assert.equal(node.machine.runs.size, 1);
    assert(node.isRunning(pod));
    assert.equal(node.control.status(pod).containerStatuses?.[0]?.restartCount, 0);
    await node.agent.stop();
  });

  test("the agent is dead: the guard kills before the pod can be started elsewhere", async () => {
    const pod = exclusive();
    const node = await running(pod);
    const killed: string[] = [];
    node.machine.onGuardKill = (ref) => killed.push(ref.podUid);
    await node.kill();
    await node.clock.advance(29_000);
    assert(node.isRunning(pod), "not before its time");
    await node.clock.advance(3_500);
    assert(!node.isRunning(pod));
    assert.deepEqual(killed, [pod.metadata.uid]);
  });

  test("a new agent that hears nothing leaves it to the guard, does not count that as a crash, and starts it only when told", async () => {
    const pod = exclusive();
    const node = await running(pod);
    node.cut();
    await node.clock.advance(10_000);
    await node.crashAndStart();
    assert(node.isRunning(pod), "adopted");
    await node.clock.advance(24_000);
    assert(!node.isRunning(pod), "dead at four fifths of the old lease");
    await node.clock.advance(60_000);
    assert(!node.isRunning(pod));
    assert.equal(node.waiting(pod)?.reason, "Fenced");
    node.join();
    await node.clock.advance(3_000);
    assert(node.isRunning(pod));
    assert.equal(node.control.status(pod).containerStatuses?.[0]?.restartCount, 0);
    await node.agent.stop();
  });

  test("after a reboot without an answer it is not started from the agent's own record", async () => {
    const pod = exclusive();
    const node = await running(pod);
    await node.kill();
    node.machine.endGuards();
    node.machine.runs.clear();
    node.machine.pods.clear();
    node.reading = { ...node.reading, bootId: "boot-2" };
    node.cut();
    node.renew();
    await node.start();
    await node.clock.advance(600_000);
    assert(!node.isRunning(pod));
    node.join();
    await node.clock.advance(3_000);
    assert(node.isRunning(pod));
    await node.agent.stop();
  });

  test("a goodbye that was heard lets it run on for four fifths of the reboot's grace", async () => {
    const pod = exclusive();
    const node = await running(pod);
    await node.agent.stop();
    assert.deepEqual(
      node.control.goodbyes.map(({ node: name, why }) => [name, why]),
      [["n1", "agent-restart"]],
    );
    const { beats } = node.control;
    const before = beats.length;
    await node.clock.advance(143_000);
    assert(node.isRunning(pod));
    assert.equal(beats.length, before, "no heartbeat after the goodbye");
    await node.clock.advance(2_000);
    assert(!node.isRunning(pod));
  });

  test("a goodbye that nobody heard changes nothing, and does not hold up the end", async () => {
    const pod = exclusive();
    const node = await running(pod);
    node.control.isDeaf = true;
    let isOver = false;
    void node.agent.stop().then(() => {
      isOver = true;
    });
    await node.clock.advance(1_100);
    assert(isOver, "not after 1 s");
    await node.clock.advance(32_000);
    assert(!node.isRunning(pod));
  });

  test("a host that is going down says so", async () => {
    const node = new Node({
      host: { read: () => Promise.resolve(node.reading), isGoingDown: () => Promise.resolve(true) },
    });
    await node.start();
    await node.agent.stop();
    assert.equal(node.control.goodbyes[0]?.why, "reboot");
  });

  test("a driver that cannot guard: a warning on the node, and the fence works all the same", async () => {
    const pod = exclusive();
    const node = new Node();
    const { guard, ...unable } = driverParts(node);
    assert(guard !== undefined);
    node.agent = new Agent({ ...node.options(), drivers: new Map([["docker", unable]]) });
    await running(pod, node);
    await node.clock.advance(11_000);
    const condition = node.control.node?.status.conditions.find(({ type }) => type === "ExclusiveGuard");
    assert.equal(condition?.status, "False");
    assert.match(condition?.message ?? "", /nothing ends its exclusive docker pods/);
    const { registrations } = node.control;
    await node.clock.advance(60_000);
    assert.equal(node.control.registrations, registrations, "said once");
    node.cut();
    await node.clock.advance(31_000);
    assert(!node.isRunning(pod));
    await node.agent.stop();
  });
});

function driverParts(node: Node) {
  const driver = new FakeDriver({ machine: node.machine, name: "docker" });
  return {
    name: driver.name,
    describe: () => driver.describe(),
    list: () => driver.list(),
    prepare: driver.prepare.bind(driver),
    start: driver.start.bind(driver),
    stop: driver.stop.bind(driver),
    remove: driver.remove.bind(driver),
    release: driver.release.bind(driver),
    pods: () => driver.pods(),
    watch: driver.watch.bind(driver),
    guard: driver.guard.bind(driver),
  };
}
