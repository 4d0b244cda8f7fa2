import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Agent } from "../../src/agent/agent.ts";
import type { PodGate } from "../../src/agent/pod-gate.ts";
import type { Pod, PodStatus } from "../../src/model/pod.ts";
import { LateAddresses } from "../../src/network/late-addresses.ts";
import { podOf, Stage } from "./agent-stage.ts";

/** Notes what passes, in one row with what the driver is asked. */
class StageGate implements PodGate {
  readonly #asked: string[];
  refusal = "";
  /** What the statuses say. */
  readonly phases = new Map<string, string>();
  /** Answers of the control plane. */
  heards = 0;
  /** How long names and services lead to a pod that leaves. */
  led = Promise.resolve();

  constructor(asked: string[]) {
    this.#asked = asked;
  }

  coming({ metadata }: Pod, address: string | undefined): Promise<void> {
    this.#asked.push(`coming ${metadata.uid} ${address}`);
    return this.refusal === "" ? Promise.resolve() : Promise.reject(new Error(this.refusal));
  }

  leaving({ metadata }: Pod, mostMs: number): Promise<void> {
    this.#asked.push(`leaving ${metadata.uid} ${mostMs}`);
    return this.led;
  }

  seen({ metadata }: Pod, { phase }: PodStatus): void {
    this.phases.set(metadata.uid, phase);
  }

  heardControl(): void {
    this.heards++;
  }

  gone(podUid: string): void {
    this.#asked.push(`gone ${podUid}`);
  }

  variables(): Readonly<Record<string, string>> {
    return { WEB_SERVICE_HOST: "10.43.0.10", MINE: "the service's" };
  }

  dns() {
    return { nameservers: ["10.42.0.1"], searches: ["default.svc.cluster.local"], options: ["ndots:5"] };
  }
}

async function staged() {
  const stage = new Stage();
  const gate = new StageGate(stage.driver.asked);
  const anew = () => {
    stage.agent = new Agent({ ...stage.options(), gate });
  };
  anew();
  await stage.start();
  return { stage, gate, anew };
}

const podNamed = (name: string) =>
  podOf(
    { containers: [{ name: "main", image: "i", driver: "fake", env: [{ name: "MINE", value: "the pod's" }] }] },
    name,
  );

const isNoted = (text: string) => /^(coming|leaving|gone|start|stop)/.test(text);

describe("a pod's way into the network and out of it", () => {
  test("what its status says is told there, by a new agent too, which finds nothing changed", async () => {
    const { stage, gate, anew } = await staged();
    await stage.run(podNamed("a"));
    assert.deepEqual([...gate.phases], [["uid-of-a", "Running"]]);
    gate.phases.clear();
    await stage.agent.stop();
    anew();
    await stage.start();
    await stage.clock.advance(1_000);
    assert.deepEqual([...gate.phases], [["uid-of-a", "Running"]]);
  });

  test("in before anything of it starts, out before anything of it is stopped, and gone when nothing is left", async () => {
    const { stage } = await staged();
    const pod = await stage.run(podNamed("a"));
    stage.control.remove(pod);
    await stage.clock.advance(1_000);
    const uid = "uid-of-a";
    assert.deepEqual(stage.driver.asked.filter(isNoted), [
      `coming ${uid} 10.0.0.2`,
      `start ${uid}/main/0`,
      `leaving ${uid} 2000`,
      `stop ${uid}/main/0`,
      `gone ${uid}`,
    ]);
    assert.equal(stage.control.statuses.get(uid), "gone");
    await stage.agent.stop();
  });

  test("it runs on while others may still be sent to it", async () => {
    const { stage, gate } = await staged();
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.led = promise;
    const pod = await stage.run(podNamed("b"));
    stage.control.remove(pod);
    await stage.clock.advance(1_500);
    assert.equal(stage.driver.running("main").length, 1);
    resolve();
    await stage.clock.advance(100);
    assert.equal(stage.driver.running("main").length, 0);
    await stage.agent.stop();
  });

  test("a deletion without grace waits for nobody, also when it comes later", async () => {
    const { stage, gate } = await staged();
    gate.led = new Promise(() => {});
    const [now, later] = [await stage.run(podNamed("c")), await stage.run(podNamed("d"))];
    stage.control.remove(now, 0);
    stage.control.remove(later, 30);
    await stage.clock.advance(100);
    assert.deepEqual(
      stage.driver.running("main").map(({ ref }) => ref.podUid),
      ["uid-of-d"],
    );
    stage.control.remove(later, 0);
    await stage.clock.advance(100);
    assert.equal(stage.driver.running("main").length, 0);
    await stage.agent.stop();
  });

  test("refused, it waits and says why; let in, it starts", async () => {
    const { stage, gate } = await staged();
    gate.refusal = "policies: nft: permission denied";
    const pod = await stage.run(podNamed("e"));
    assert.equal(stage.driver.running("main").length, 0);
    assert.match(
      stage.control.status(pod).containerStatuses?.[0]?.state.waiting?.message ?? "",
      /nft: permission denied/,
    );
    gate.refusal = "";
    await stage.clock.advance(60_000);
    assert.equal(stage.driver.running("main").length, 1);
    await stage.agent.stop();
  });

  test("its containers know the Services, and what the pod says itself comes first; names are asked for as the network says", async () => {
    const { stage } = await staged();
    await stage.run(podNamed("f"));
    const [run] = stage.driver.specs;
    assert.deepEqual(run?.env, { WEB_SERVICE_HOST: "10.43.0.10", MINE: "the pod's" });
    assert.deepEqual(run?.pod.dns?.nameservers, ["10.42.0.1"]);
    await stage.agent.stop();
  });

  test("a restart of one of its containers passes no gate", async () => {
    const { stage } = await staged();
    await stage.run(podNamed("g"));
    stage.driver.exit({ podUid: "uid-of-g", container: "main", attempt: 0 }, 1);
    await stage.clock.advance(60_000);
    assert.equal(stage.driver.running("main").length, 1);
    const passed = stage.driver.asked.filter((text) => /^(coming|leaving|gone)/.test(text));
    assert.deepEqual(passed, ["coming uid-of-g 10.0.0.2"]);
    await stage.agent.stop();
  });

  test("a new agent tells the gate of what runs, and that leaves as any other", async () => {
    const { stage, anew } = await staged();
    const pod = await stage.run(podNamed("h"));
    await stage.clock.advance(2_000);
    await stage.agent.stop();
    stage.driver.asked.length = 0;
    anew();
    await stage.start();
    assert.deepEqual(stage.driver.asked.filter(isNoted), ["coming uid-of-h 10.0.0.2"]);
    stage.control.remove(pod);
    await stage.clock.advance(1_000);
    assert.deepEqual(stage.driver.asked.filter(isNoted).slice(1), [
      "leaving uid-of-h 2000",
      "stop uid-of-h/main/0",
      "gone uid-of-h",
    ]);
    await stage.agent.stop();
  });

  test("the network is told of every answer of the control plane, and not of a refusal: then nobody says who is gone", async () => {
    const { stage, gate } = await staged();
    await stage.clock.advance(3_000);
    const before = gate.heards;
    assert.ok(before >= 3, `${before} answers`);
    for (const lease of ["refused", "silent"] as const) {
      stage.control.lease = lease;
      await stage.clock.advance(3_000);
      assert.equal(gate.heards, before, lease);
    }
    await stage.agent.stop();
  });

  test("labels that change are told: policies select by them", async () => {
    const { stage } = await staged();
    const pod = await stage.run(podNamed("i"));
    stage.control.assign({ ...pod, metadata: { ...pod.metadata, labels: { app: "web" } } });
    await stage.clock.advance(100);
    assert.equal(stage.driver.asked.filter((text) => text.startsWith("coming")).length, 2);
    await stage.agent.stop();
  });

  test("taken down with its host, it runs until nobody is sent to it any more, and what the cluster makes of it is not answered back", async () => {
    const { stage, gate } = await staged();
    const led = Promise.withResolvers<void>();
    gate.led = led.promise;
    const pod = await stage.run(podNamed("h"));
    const stopped = stage.agent.stop("down");
    await stage.clock.advance(100);
    assert.deepEqual(
      stage.control.goodbyes.map(({ why }) => why),
      ["down"],
    );
    assert.equal(stage.driver.asked.filter(isNoted).at(-1), "leaving uid-of-h 2000");
    const { reports } = stage.control;
    stage.control.assign({ ...pod, status: { ...pod.status, reason: "NodeLost" } });
    await stage.clock.advance(500);
    assert.equal(stage.control.reports, reports);
    assert.equal(stage.driver.running("main").length, 1, "it is stopped by who takes it down");
    led.resolve();
    await stage.clock.advance(100);
    await stopped;
  });

  test("before it is known which addresses are this node's it waits in silence for a few seconds, then says why, and starts with one as soon as there are any", async () => {
    const stage = new Stage();
    const addresses = new LateAddresses();
    addresses.withhold("the control plane has not said yet");
    stage.agent = new Agent({ ...stage.options(), addresses });
    await stage.start();
    const pod = podNamed("f");
    stage.control.assign(pod);
    await stage.clock.advance(2_000);
    assert.equal(stage.control.reasons().includes("FailedMount"), false);
    addresses.setRange("10.42.7.0/24");
    await stage.clock.advance(2_000);
    assert.equal(stage.driver.running("main").length, 0);
    assert(stage.control.events.some(({ message }) => message.includes("has not said yet")));
    addresses.withhold(undefined);
    await stage.clock.advance(60_000);
    assert.equal(stage.control.status(pod).podIP, "10.42.7.2");
    await stage.agent.stop();
  });

  test("with one that is given within that time it starts at once, and nobody hears of it", async () => {
    const stage = new Stage();
    const addresses = new LateAddresses();
    stage.agent = new Agent({ ...stage.options(), addresses });
    await stage.start();
    stage.control.assign(podNamed("g"));
    await stage.clock.advance(1_000);
    addresses.setRange("10.42.7.0/24");
    await stage.clock.advance(100);
    assert.equal(stage.driver.running("main").length, 1);
    assert.equal(stage.control.reasons().includes("FailedMount"), false);
    await stage.agent.stop();
  });
});
