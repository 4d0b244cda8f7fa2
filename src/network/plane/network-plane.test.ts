import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EndpointEntry, NetworkEntry, NetworkNews, NodeEntry } from "../../model/network.ts";
import type { Pod } from "../../model/pod.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { NetworkPlane, type NetworkPlaneOptions } from "./network-plane.ts";

const POD = {
  metadata: { name: "p", namespace: "default", uid: "u1", labels: { app: "web" } },
  spec: { containers: [{ name: "main", ports: [{ name: "http", containerPort: 8080 }] }] },
} as unknown as Pod;

const endpoints = (state: EndpointEntry["state"] | undefined): NetworkEntry => ({
  kind: "endpoints",
  id: "default/web-1",
  service: "default/web",
  ports: [{ name: "", protocol: "tcp", port: 80 }],
  endpoints: state === undefined ? [] : [{ address: "10.42.1.5", state, node: "n1", uid: "u1" }],
});

const changed = (revision: number, entries: readonly NetworkEntry[]): NetworkNews => {
  return { type: "changed", revision, entries, removed: [] };
};

function planeOf(more: Pick<NetworkPlaneOptions, "probe" | "servers"> = {}) {
  const clock = new ManualClock();
  const part = (name: string, isGate: boolean) => ({
    ...{ name, problem: "", takesMs: 0, applied: 0 },
    ...(isGate ? { isGate: true as const } : {}),
    async apply() {
      if (this.takesMs > 0) await clock.sleep(this.takesMs);
      if (this.problem !== "") throw new Error(this.problem);
      this.applied++;
    },
    stop: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    report: () => ({ state: "working" as const }),
  });
  const [policies, names] = [part("policies", true), part("names", false)];
  const plane = new NetworkPlane({ nodeName: "n1", parts: [policies, names], clock, log: silentLog, ...more });
  const applied: number[] = [];
  let hear: (news: NetworkNews) => void = () => assert.fail("nobody listens");
  plane.follow({
    watchNetwork: (listener) => {
      hear = listener;
    },
    networkApplied: (revision) => void applied.push(revision),
  });
  const isOver = (promise: Promise<void>) => {
    const seen = { over: "" };
    promise.then(
      () => {
        seen.over = "well";
      },
      (error: Error) => {
        seen.over = error.message;
      },
    );
    return seen;
  };
  return { clock, plane, policies, names, applied, isOver, hear: (news: NetworkNews) => hear(news) };
}

describe("what a node says it has applied", () => {
  test("is what the slowest of its parts has", async () => {
    const { clock, names, applied, hear } = planeOf();
    hear({ type: "all", revision: 5, entries: [] });
    await clock.settle();
    names.takesMs = 100;
    hear(changed(6, [endpoints("ready")]));
    await clock.advance(50);
    assert.deepEqual(
      applied.filter((revision) => revision > 5),
      [],
    );
    await clock.advance(60);
    assert.equal(applied.at(-1), 6);
  });

  test("is not held up by a part that fails", async () => {
    const { clock, names, applied, hear } = planeOf();
    names.problem = "port 53 is taken";
    hear({ type: "all", revision: 5, entries: [] });
    await clock.settle();
    assert.equal(applied.at(-1), 5);
  });

  test("is said anew to another server, whose count may be lower or the same", async () => {
    const { clock, applied, hear } = planeOf();
    hear({ type: "all", revision: 5, entries: [] });
    await clock.settle();
    hear({ type: "all", revision: 5, entries: [] });
    await clock.settle();
    hear({ type: "all", revision: 2, entries: [] });
    await clock.settle();
    assert.deepEqual(
      applied.filter((revision, at) => revision !== applied[at + 1] || revision === 5).slice(-3),
      [5, 5, 2],
    );
  });
});

describe("a pod that comes", () => {
  test("waits until the policies know it, not for the names", async () => {
    const { clock, plane, policies, names, hear, isOver } = planeOf();
    hear({ type: "all", revision: 1, entries: [] });
    await clock.settle();
    policies.takesMs = 50;
    names.takesMs = 5_000;
    const coming = isOver(plane.coming(POD, "10.42.1.5"));
    await clock.advance(40);
    assert.equal(coming.over, "");
    assert.deepEqual(plane.state.localPods.get("u1")?.ports, { http: 8080 });
    await clock.advance(20);
    assert.equal(coming.over, "well");
  });

  test("is refused in words while the policies fail, and let in when they work again", async () => {
    const { clock, plane, policies, hear, isOver } = planeOf();
    hear({ type: "all", revision: 1, entries: [] });
    await clock.settle();
    policies.problem = "nft: permission denied";
    const first = isOver(plane.coming(POD, "10.42.1.5"));
    await clock.advance(10);
    assert.equal(first.over, "policies: nft: permission denied");
    policies.problem = "";
    await clock.advance(1_000);
    const second = isOver(plane.coming(POD, "10.42.1.5"));
    await clock.settle();
    assert.equal(second.over, "well");
  });

  test("before anything was heard it waits for that, for three seconds after the start and no longer", async () => {
    const { clock, plane, isOver } = planeOf();
    const coming = isOver(plane.coming(POD, "10.42.1.5"));
    await clock.advance(2_900);
    assert.equal(coming.over, "");
    await clock.advance(200);
    assert.equal(coming.over, "well");
    const next = isOver(plane.coming({ ...POD, metadata: { ...POD.metadata, uid: "u2" } }, "10.42.1.6"));
    await clock.settle();
    assert.equal(next.over, "well");
  });

  test("on the host's network it comes at once; and what is gone is no pod of this node any more", async () => {
    const { clock, plane, policies, hear, isOver } = planeOf();
    hear({ type: "all", revision: 1, entries: [] });
    policies.problem = "no";
    const host = isOver(plane.coming(POD, undefined));
    await clock.settle();
    assert.equal(host.over, "well");
    policies.problem = "";
    await plane.coming(POD, "10.42.1.5").catch(() => undefined);
    plane.gone("u1");
    assert.equal(plane.state.localPods.size, 0);
  });
});

describe("a pod that leaves", () => {
  async function led() {
    const world = planeOf();
    world.hear({ type: "all", revision: 1, entries: [endpoints("ready")] });
    world.hear({ type: "settled", revision: 1 });
    await world.clock.settle();
    return world;
  }

  test("waits until no service leads to it, and until every node has heard that", async () => {
    const { clock, plane, hear, isOver } = await led();
    const leaving = isOver(plane.leaving(POD, 2_000));
    await clock.advance(100);
    assert.equal(leaving.over, "");
    hear(changed(2, [endpoints("draining")]));
    await clock.advance(100);
    assert.equal(leaving.over, "", "others may still send to it");
    hear({ type: "settled", revision: 2 });
    await clock.settle();
    assert.equal(leaving.over, "", "a first packet that was lost is sent again after a second, and comes here");
    await clock.advance(1_050);
    assert.equal(leaving.over, "");
    await clock.advance(100);
    assert.equal(leaving.over, "well");
  });

  test("that nobody was sent to any more for a while goes at once", async () => {
    const { clock, plane, hear, isOver } = await led();
    hear(changed(2, [endpoints("waiting")]));
    hear({ type: "settled", revision: 2 });
    await clock.advance(600);
    const leaving = isOver(plane.leaving(POD, 2_000));
    await clock.advance(450);
    assert.equal(leaving.over, "");
    await clock.advance(100);
    assert.equal(leaving.over, "well");
    const again = isOver(plane.leaving(POD, 2_000));
    await clock.settle();
    assert.equal(again.over, "well");
  });

  test("waits for its names as well", async () => {
    const { clock, plane, hear, isOver } = await led();
    const record = { type: "A" as const, name: "web.marathon.mesos", address: "10.42.1.5" };
    hear(changed(2, [endpoints(undefined), { kind: "names", id: "u1", records: [record] }]));
    hear({ type: "settled", revision: 2 });
    const leaving = isOver(plane.leaving(POD, 2_000));
    await clock.advance(100);
    assert.equal(leaving.over, "");
    hear({ type: "changed", revision: 3, entries: [], removed: [{ kind: "names", id: "u1" }] });
    await clock.advance(1_100);
    assert.equal(leaving.over, "", "others may still know its names");
    hear({ type: "settled", revision: 3 });
    await clock.advance(700);
    assert.equal(leaving.over, "", "nor did they know until now that no service leads to it");
    await clock.advance(150);
    assert.equal(leaving.over, "well");
  });

  test("waits for this node's own rules, too", async () => {
    const { clock, plane, names, hear, isOver } = await led();
    names.takesMs = 300;
    const leaving = isOver(plane.leaving(POD, 2_000));
    hear(changed(2, [endpoints("draining")]));
    hear({ type: "settled", revision: 2 });
    await clock.advance(200);
    assert.equal(leaving.over, "");
    await clock.advance(150);
    assert.equal(leaving.over, "");
    await clock.advance(1_100);
    assert.equal(leaving.over, "well");
  });

  test("goes at once when nobody was ever sent to it", async () => {
    const { clock, plane, isOver } = await led();
    const leaving = isOver(plane.leaving({ ...POD, metadata: { ...POD.metadata, uid: "u9" } }, 2_000));
    await clock.settle();
    assert.equal(leaving.over, "well");
  });

  test("is not held up for longer than it allows, whoever leads", async () => {
    const { clock, plane, hear, isOver } = await led();
    const leaving = isOver(plane.leaving(POD, 2_000));
    await clock.advance(1_000);
    hear({ type: "all", revision: 1, entries: [endpoints("ready")] });
    await clock.advance(900);
    assert.equal(leaving.over, "");
    await clock.advance(200);
    assert.equal(leaving.over, "well");
  });

  test("goes by the new count when another server begins to lead meanwhile", async () => {
    const { clock, plane, hear, isOver } = await led();
    hear(changed(900, [endpoints("draining")]));
    const leaving = isOver(plane.leaving(POD, 2_000));
    await clock.advance(100);
    hear({ type: "all", revision: 3, entries: [endpoints("draining")] });
    await clock.advance(100);
    assert.equal(leaving.over, "");
    hear({ type: "settled", revision: 3 });
    await clock.advance(1_050);
    assert.equal(leaving.over, "");
    await clock.advance(100);
    assert.equal(leaving.over, "well");
  });
});

describe("a pod that leaves while another node's agent is away", () => {
  const node = (isSilent: boolean): NodeEntry => {
    return {
      kind: "node",
      id: "n2",
      address: "192.0.2.2",
      podRange: "10.42.2.0/24",
      ...(isSilent ? { isSilent } : {}),
    };
  };
  /** Its agent was killed as the pod was asked to go; `isOn`: its host answers. */
  async function away(isOn: boolean) {
    const world = planeOf({ probe: () => Promise.resolve(isOn) });
    const { clock, plane, hear, isOver } = world;
    hear({ type: "all", revision: 1, entries: [endpoints("ready"), node(false)] });
    hear({ type: "settled", revision: 1 });
    await clock.settle();
    const leaving = isOver(plane.leaving(POD, 2_000, 10_000));
    hear(changed(2, [endpoints("draining")]));
    hear({ type: "settled", revision: 2 });
    await clock.advance(1_000);
    hear(changed(3, [node(true)]));
    hear({ type: "settled", revision: 3 });
    await clock.settle();
    return { ...world, leaving };
  }

  test("stays until that agent is back and has heard of it, as what it wrote goes on sending there", async () => {
    const { clock, hear, leaving } = await away(true);
    await clock.advance(5_000);
    assert.equal(leaving.over, "");
    hear(changed(4, [node(false)]));
    await clock.advance(500);
    assert.equal(leaving.over, "", "it is heard, and has not heard everything yet");
    hear({ type: "settled", revision: 4 });
    await clock.advance(1_050);
    assert.equal(leaving.over, "", "nor did it know until now");
    await clock.advance(100);
    assert.equal(leaving.over, "well");
  });

  test("waits for no host that is gone", async () => {
    const { clock, leaving } = await away(false);
    await clock.advance(110);
    assert.equal(leaving.over, "well");
  });

  test("nor for one that stays away, for longer than 8 s, nor than its grace allows", async () => {
    const { clock, plane, hear, isOver, leaving } = await away(true);
    await clock.advance(7_950);
    assert.equal(leaving.over, "");
    await clock.advance(100);
    assert.equal(leaving.over, "well");
    hear(changed(4, [endpoints("ready")]));
    hear(changed(5, [endpoints("draining")]));
    hear({ type: "settled", revision: 5 });
    const later = isOver(plane.leaving(POD, 2_000, 10_000));
    await clock.advance(1_150);
    assert.equal(later.over, "well", "it has been away for long by then");
    const { clock: clock2, plane: plane2, isOver: isOver2 } = await away(true);
    const hurried = isOver2(plane2.leaving(POD, 500, 500));
    await clock2.advance(550);
    assert.equal(hurried.over, "well");
  });

  test("goes at once when nobody was ever sent to it", async () => {
    const { clock, plane, isOver } = await away(true);
    const leaving = isOver(plane.leaving({ ...POD, metadata: { ...POD.metadata, uid: "u9" } }, 2_000, 10_000));
    await clock.settle();
    assert.equal(leaving.over, "well");
  });
});

describe("while the control plane is not heard", () => {
  const node = (id: string): NodeEntry => ({ kind: "node", id, address: "192.0.2.2", podRange: "10.42.7.0/24" });

  test("this node asks the others itself: the host of the control plane may be the one that is gone", async () => {
    const asked: string[] = [];
    const probe = ({ id }: NodeEntry) => {
      asked.push(id);
      return Promise.resolve(id !== "n2");
    };
    const { clock, plane, hear } = planeOf({ probe });
    hear({ type: "all", revision: 1, entries: ["n1", "n2", "n3"].map(node) });
    for (let beat = 0; beat < 5; beat++) {
      plane.heardControl(1_000);
      await clock.advance(1_000);
    }
    assert.equal(asked.length, 0);
    await clock.advance(900);
    assert.deepEqual([...plane.state.lostNodes], ["n2"]);
    assert.equal(asked.includes("n1"), false, "it does not ask itself");
    plane.heardControl(1_000);
    await clock.advance(1_000);
    assert.deepEqual([...plane.state.lostNodes], ["n2"], "it has not answered yet");
    hear(changed(2, [node("n2")]));
    assert.deepEqual([...plane.state.lostNodes], []);
    const before = asked.length;
    plane.heardControl(1_000);
    await clock.advance(1_000);
    assert.ok(asked.length <= before + 1, "who is not doubted is not asked");
    await plane.stop();
  });

  test("of however many nodes, the control plane's own hosts are asked first, each time, and lost within 2 s", async () => {
    const dead = ["m498", "m499"];
    const addressed = (_: unknown, at: number) => ({ ...node(`m${at}`), address: `192.0.2.${at}` });
    const probe = ({ id }: NodeEntry) => (dead.includes(id) ? new Promise<boolean>(() => {}) : Promise.resolve(true));
    // One is known by its address, one by its name.
    const { clock, plane, hear } = planeOf({ probe, servers: () => ["192.0.2.498:7443", "m499:7443"] });
    hear({ type: "all", revision: 1, entries: Array.from({ length: 500 }, addressed) });
    plane.heardControl(1_000);
    await clock.advance(1_990);
    assert.deepEqual([...plane.state.lostNodes].sort(), dead);
    await plane.stop();
  });

  test("of many nodes it asks a few at a time", async () => {
    let underWay = 0;
    const probe = () => {
      underWay++;
      return new Promise<boolean>(() => {});
    };
    const { clock, plane, hear } = planeOf({ probe });
    hear({ type: "all", revision: 1, entries: Array.from({ length: 500 }, (_, at) => node(`m${at}`)) });
    plane.heardControl(1_000);
    await clock.advance(1_450);
    assert.ok(underWay <= 32, `${underWay} at once`);
    await plane.stop();
  });
});

describe("a node that is heard, and that this node's probes do not reach", () => {
  const apart: NodeEntry = { kind: "node", id: "n3", address: "192.0.2.3" };
  const node = (id: string, more: Partial<NodeEntry> = {}): NodeEntry => {
    return { kind: "node", id, address: "192.0.2.2", podRange: "10.42.7.0/24", ...more };
  };

  test("is lost to this node until it answers again, also when something is told of it meanwhile", async () => {
    let answers = false;
    let asked = 0;
    const probe = () => {
      asked++;
      return Promise.resolve(answers);
    };
    const { clock, plane, hear } = planeOf({ probe });
    hear({ type: "all", revision: 1, entries: [node("n2"), apart] });
    plane.unreached(["n2", "n3", "of no cluster"]);
    await clock.settle();
    assert.deepEqual([...plane.state.lostNodes], ["n2"], "a node without pods of the network is not asked there");
    hear(changed(2, [node("n2", { zone: "b" })]));
    await clock.advance(2_100);
    assert.deepEqual([...plane.state.lostNodes], ["n2"]);
    assert.ok(asked <= 3, `asked ${asked} times`);
    answers = true;
    await clock.advance(2_100);
    assert.deepEqual([...plane.state.lostNodes], []);
    const before = asked;
    await clock.advance(10_000);
    assert.equal(asked, before);
    await plane.stop();
  });

  test("is not lost when it answers the one question more that decides", async () => {
    const { clock, plane, hear } = planeOf({ probe: () => Promise.resolve(true) });
    hear({ type: "all", revision: 1, entries: [node("n2")] });
    plane.unreached(["n2"]);
    await clock.advance(5_000);
    assert.deepEqual([...plane.state.lostNodes], []);
    await plane.stop();
  });
});

describe("a node of which the control plane hears nothing", () => {
  const node = (isSilent: boolean): NodeEntry => ({
    ...{ kind: "node", id: "n2", address: "192.0.2.2" },
    ...(isSilent ? { isSilent: true } : {}),
  });

  test("is lost when this node does not reach it either, and found again when it answers", async () => {
    let answers = false;
    const { clock, plane, hear, names } = planeOf({ probe: () => Promise.resolve(answers) });
    hear({ type: "all", revision: 1, entries: [node(false)] });
    await clock.advance(1_000);
    hear(changed(2, [node(true)]));
    await clock.settle();
    assert.deepEqual([...plane.state.lostNodes], ["n2"]);
    const before = names.applied;
    answers = true;
    await clock.advance(600);
    assert.deepEqual([...plane.state.lostNodes], []);
    assert.ok(names.applied > before, "the parts are told");
    await plane.stop();
  });

  test("stays a place to send to as long as it answers this node", async () => {
    const { clock, plane, hear } = planeOf({ probe: () => Promise.resolve(true) });
    hear({ type: "all", revision: 1, entries: [node(true)] });
    await clock.advance(5_000);
    assert.deepEqual([...plane.state.lostNodes], []);
    await plane.stop();
  });

  test("that never answers is given up after 0.4 s; asking that fails in itself is no answer", async () => {
    const never = planeOf({ probe: () => new Promise(() => {}) });
    never.hear({ type: "all", revision: 1, entries: [node(true)] });
    await never.clock.advance(350);
    assert.equal(never.plane.state.lostNodes.size, 0);
    await never.clock.advance(100);
    assert.equal(never.plane.state.lostNodes.size, 1);
    const broken = planeOf({ probe: () => Promise.reject(new Error("no route")) });
    broken.hear({ type: "all", revision: 1, entries: [node(true)] });
    await broken.clock.settle();
    assert.equal(broken.plane.state.lostNodes.size, 1);
  });

  test("and of which the server that leads now knows nothing yet has to answer before it is a place to send to", async () => {
    let answers = false;
    const { clock, plane, hear } = planeOf({ probe: () => Promise.resolve(answers) });
    hear({ type: "all", revision: 1, entries: [node(true)] });
    await clock.settle();
    hear({ type: "all", revision: 1, entries: [node(false)] });
    assert.equal(plane.state.lostNodes.size, 1);
    await clock.advance(3_000);
    assert.equal(plane.state.lostNodes.size, 1);
    answers = true;
    await clock.advance(600);
    assert.equal(plane.state.lostNodes.size, 0);
    await plane.stop();
  });

  test("is no longer lost when it is heard again, whatever an answer that is under way says", async () => {
    const { clock, plane, hear } = planeOf({ probe: () => new Promise(() => {}) });
    hear({ type: "all", revision: 1, entries: [node(true)] });
    await clock.advance(200);
    hear(changed(2, [node(false)]));
    await clock.advance(5_000);
    assert.equal(plane.state.lostNodes.size, 0);
  });
});
