/** What the dispatcher owes the cluster: who may do what, whose word counts, and that one agent never costs the others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FRAME_CHARS, MOST_UNACKNOWLEDGED } from "../../../src/agent/frames/limits.ts";
import { callFrame, signFrame } from "../../../src/agent/frames/to-dispatcher.ts";
import { RemoteControl } from "../../../src/agent/remote/remote-control.ts";
import { Dispatcher } from "../../../src/dispatcher/dispatcher.ts";
import { CLUSTER_TRUST_NAME, clusterTrusts } from "../../../src/model/cluster-trust.ts";
import { configMaps } from "../../../src/model/config-map.ts";
import { events } from "../../../src/model/event.ts";
import { type HostCertificate, hostCertificateName, hostCertificates } from "../../../src/model/host-certificate.ts";
import type { Draft } from "../../../src/model/meta.ts";
import { nodes } from "../../../src/model/node.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import { secrets } from "../../../src/model/secret.ts";
import { testNode } from "../../../src/scheduling/test-objects.ts";
import type { Link } from "../../../src/seams/link.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { createPod, NODE, type RemoteStage, remoteStage, reportOf, Told } from "./stage.ts";
import { PERFECT, Wire } from "./wire.ts";

const never = new AbortController().signal;

function watch(stage: RemoteStage, control = stage.control): Told {
  const told = new Told();
  control.watchPods(NODE, (assignments) => told.take(assignments), never);
  return told;
}

function labelled(pod: Pod, text: string): Pod {
  return { ...pod, metadata: { ...pod.metadata, resourceVersion: "", labels: { text } } };
}

function certificateOf(host: string): Draft<HostCertificate> {
  const moment = "2026-01-02T00:00:00Z";
  return {
    apiVersion: hostCertificates.apiVersion,
    kind: "HostCertificate",
    metadata: { name: hostCertificateName("node", host) },
    spec: { host, role: "node", serial: "1", issuedBy: "", believes: [], issuedAt: moment, expiresAt: moment },
  };
}

describe("a node may act for itself only", () => {
  const forbidden = async (stage: RemoteStage, promise: Promise<unknown>) => {
    await assert.rejects(stage.over(promise), { name: "ApiError", reason: "Forbidden" });
    assert.equal(stage.warnings.length, 1, "it is logged");
    assert.match(stage.warnings[0] ?? "", /may not/);
  };

  test("it may not register in another's name", async () => {
    const stage = await remoteStage(PERFECT);
    await forbidden(stage, stage.control.registerNode(testNode({ name: "n2" })));
    assert.equal(stage.store.count(nodes), 0);
  });

  test("one that was forgotten may not register again over the link that it still has, until it has joined again", async () => {
    const stage = await remoteStage(PERFECT);
    const { apiVersion, name: kind } = clusterTrusts;
    const refused = [
      { name: NODE, role: "node", before: "2026-01-01T00:00:00Z", why: "root has forgotten the node" },
    ] as const;
    const spec = { clusterId: "c1", authorities: [], refused };
    await stage.store.update((tx) =>
      tx.create(clusterTrusts, {
        apiVersion,
        kind: kind as "ClusterTrust",
        metadata: { name: CLUSTER_TRUST_NAME },
        spec,
      }),
    );
    const coming = stage.control.registerNode(testNode({ name: NODE }));
    await assert.rejects(stage.over(coming), { reason: "Forbidden", message: /has to join again: root has forgotten/ });
    assert.equal(stage.store.count(nodes), 0);
    await stage.store.update((tx) => tx.create(hostCertificates, certificateOf(NODE)));
    await stage.over(stage.control.registerNode(testNode({ name: NODE })));
    assert.equal(stage.store.count(nodes), 1);
  });

  test("it may not report a pod bound elsewhere, nor one not bound at all, and nothing of such a report is written", async () => {
    for (const nodeName of ["n2", ""]) {
      const stage = await remoteStage(PERFECT);
      const mine = await createPod(stage.store, "mine");
      const other = await createPod(stage.store, "other", nodeName);
      const reports = [mine, other].map((pod) => reportOf(pod, { phase: "Running" }));
      await forbidden(stage, stage.control.report(reports, []));
      assert.deepEqual(
        stage.store.list(pods).map(({ status }) => status.phase),
        ["Pending", "Pending"],
      );
    }
  });

  test("it may not tell events of a pod bound elsewhere", async () => {
    const stage = await remoteStage(PERFECT);
    const { metadata } = await createPod(stage.store, "other", "n2");
    const event = { podKey: "default/other", podUid: metadata.uid, type: "Normal", reason: "R", message: "" } as const;
    await forbidden(stage, stage.control.report([], [event]));
    assert.equal(stage.store.count(events), 0);
  });

  for (const [kind, kinds] of [
    ["Secret", secrets],
    ["ConfigMap", configMaps],
  ] as const) {
    test(`it may not read a ${kind} that only pods of other nodes or namespaces use`, async () => {
      const stage = await remoteStage(PERFECT);
      await stage.store.update((tx) => {
        tx.create(kinds as typeof configMaps, {
          apiVersion: "v1",
          kind: kind as "ConfigMap",
          metadata: { name: "x", namespace: "default" },
        });
      });
      const volumes = [{ name: "v", secret: { secretName: "x" }, configMap: { name: "x" } }];
      await createPod(stage.store, "other", "n2", { volumes });
      await createPod(stage.store, "mine");
      await forbidden(stage, stage.control.keyValues(kind, "default", "x"));
    });
  }

  test("it may not say goodbye in another's name", async () => {
    const stage = await remoteStage(PERFECT);
    await forbidden(stage, stage.control.goodbye({ node: "n2", session: "s", why: "reboot" }));
    assert.deepEqual(stage.leases.goodbyes, []);
  });

  test("it may not watch another's pods", async () => {
    const stage = await remoteStage(PERFECT);
    await createPod(stage.store, "other", "n2");
    stage.control.watchPods("n2", () => assert.fail("something was told"), never);
    await stage.clock.advance(30_000);
    assert.match(stage.warnings.join("\n"), /may not watch node/);
  });

  test("a heartbeat in another's name renews nothing", async () => {
    const stage = await remoteStage(PERFECT);
    const beat = { node: "n2", bootId: "b", session: "s", sequence: 1, health: "ok" } as const;
    await assert.rejects(stage.over(stage.control.heartbeat(beat)));
    assert.deepEqual(stage.leases.beats, []);
  });
});

describe("of several links of one node the newest counts", () => {
  test("the older one is closed, and what is still said on it changes nothing", async () => {
    const stage = await remoteStage(PERFECT);
    const { store, clock, leases } = stage;
    const pod = await createPod(store, "web");
    const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases });
    const closed: string[] = [];
    const link = (name: string): Link => ({ send: () => {}, close: (reason) => closed.push(`${name}: ${reason}`) });
    const older = dispatcher.accept(link("older"), { nodeName: NODE });
    const newer = dispatcher.accept(link("newer"), { nodeName: NODE });
    const say = (session: string, message: string) => {
      const reports = [reportOf(pod, { phase: "Running", message })];
      return callFrame(session, 1, 1, JSON.stringify({ method: "report", reports, events: [] }));
    };
    older.frame(signFrame("before"));
    newer.frame(say("after", "new"));
    assert.deepEqual(closed, ["older: this node has a newer link"]);
    older.frame(say("before", "old"));
    await clock.settle();
    assert.equal(store.get(pods, "default/web")?.status.message, "new");
    dispatcher.stop();
  });

  test("also when the older one speaks for the first time after the newer one", async () => {
    const stage = await remoteStage(PERFECT);
    const { store, clock, leases } = stage;
    const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases });
    const closed: string[] = [];
    const link = (name: string): Link => ({ send: () => {}, close: () => closed.push(name) });
    const older = dispatcher.accept(link("older"), { nodeName: NODE });
    const newer = dispatcher.accept(link("newer"), { nodeName: NODE });
    newer.frame(signFrame("after"));
    older.frame(signFrame("before"));
    assert.deepEqual(closed, ["older"]);
    dispatcher.stop();
  });

  test("an agent that starts again while its last link looks alive takes over at once", async () => {
    const stage = await remoteStage(PERFECT);
    const { wire, clock, store } = stage;
    const first = watch(stage);
    await stage.until(() => first.batches.length > 0, "the first agent is told");
    wire.forgetLinks();
    const control = new RemoteControl({ dialers: [wire], clock, random: new SeededRandom("again"), log: silentLog });
    const second = watch(stage, control);
    await createPod(store, "web");
    await stage.until(() => second.agrees(store) && second.pods.size === 1, "the second agent is told", 1_000);
  });
});

describe("a call is carried out once", () => {
  test("whatever the link repeats: every event has happened once", async () => {
    const stage = await remoteStage({ delayMs: [1, 1_500], loss: 0.3, duplicate: 0.5, reorder: 0.2 });
    const pod = await createPod(stage.store, "web");
    const taken = Array.from({ length: 40 }, (_, at) => {
      const event = { podKey: "default/web", podUid: pod.metadata.uid, type: "Normal", message: "" } as const;
      return stage.control.report([], [{ ...event, reason: `R${at}` }]).then(
        () => true,
        () => false,
      );
    });
    const outcomes = await stage.over(Promise.all(taken));
    assert.ok(outcomes.filter(Boolean).length > 30, "most calls came through");
    for (const { reason, count } of stage.store.list(events)) assert.equal(count, 1, reason);
  });

  test("also over two links, when the first breaks before the answer", async () => {
    const stage = await remoteStage(PERFECT);
    const { wire, control, store, clock } = stage;
    const pod = await createPod(store, "web");
    const told = watch(stage);
    await stage.until(() => told.batches.length > 0, "a session");
    wire.cutDown = true;
    const event = {
      podKey: "default/web",
      podUid: pod.metadata.uid,
      type: "Normal",
      reason: "R",
      message: "",
    } as const;
    const done = control.report([], [event]);
    await clock.advance(100);
    assert.equal(store.count(events), 1, "carried out, not yet answered");
    wire.cutDown = false;
    const brokeAtMs = clock.monotonic();
    wire.breakAll();
    await stage.over(done);
    assert.equal(store.list(events)[0]?.count, 1);
    assert.ok(clock.monotonic() - brokeAtMs < 800, "said again as soon as there is a new link");
  });

  test("it is said again until it arrives", async () => {
    const stage = await remoteStage(PERFECT);
    const { wire, control, clock } = stage;
    await stage.over(control.report([], []));
    wire.cutUp = true;
    const done = control.registerNode(testNode({ name: NODE }));
    await clock.advance(2_000);
    wire.cutUp = false;
    await stage.over(done);
    assert.ok(clock.monotonic() < 5_000, `${clock.monotonic()} ms`);
  });

  test("a registration that its agent has given up is not carried out after a newer one", async () => {
    const { store, clock, leases } = await remoteStage(PERFECT);
    const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases });
    const listener = dispatcher.accept({ send: () => {}, close: () => {} }, { nodeName: NODE });
    const say = (id: number) => {
      const node = testNode({ name: NODE, cpu: String(id) });
      listener.frame(callFrame("s", id, id, JSON.stringify({ method: "register", node })));
    };
    say(2);
    say(1);
    await clock.settle();
    assert.equal(store.get(nodes, NODE)?.status.capacity.cpu, "2");
    dispatcher.stop();
  });

  test("a report that its agent has given up is not carried out after a newer one", async () => {
    const stage = await remoteStage(PERFECT);
    const { store, clock, leases } = stage;
    const pod = await createPod(store, "web");
    const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases });
    const listener = dispatcher.accept({ send: () => {}, close: () => {} }, { nodeName: NODE });
    const say = (id: number, floor: number) => {
      const reports = [reportOf(pod, { phase: "Running", message: `${id}` })];
      listener.frame(callFrame("s", id, floor, JSON.stringify({ method: "report", reports, events: [] })));
    };
    say(2, 2);
    say(1, 1);
    await clock.settle();
    assert.equal(store.get(pods, "default/web")?.status.message, "2");
    dispatcher.stop();
  });
});

describe("streams", () => {
  const toldOver = async (quality: Parameters<typeof remoteStage>[0], during: (stage: RemoteStage) => void) => {
    const stage = await remoteStage(quality);
    const told = watch(stage);
    await stage.until(() => told.batches.length > 0, "the first batch");
    during(stage);
    await createPod(stage.store, "web");
    await stage.clock.advance(100);
    stage.wire.heal();
    const healedAtMs = stage.clock.monotonic();
    await stage.until(() => told.agrees(stage.store), "the pod");
    return { tookMs: stage.clock.monotonic() - healedAtMs, dials: stage.wire.dials };
  };

  test("the last frame of a stream may get lost: the next sign of life tells, and it comes over the same link", async () => {
    const { tookMs, dials } = await toldOver(PERFECT, ({ wire }) => {
      wire.cutDown = true;
    });
    assert.ok(tookMs <= 4_000, `${tookMs} ms`);
    assert.equal(dials, 1);
  });

  test("over a new link the stream begins anew", async () => {
    const { tookMs } = await toldOver(PERFECT, ({ wire }) => {
      wire.cutDown = true;
      wire.breakAll();
    });
    assert.ok(tookMs <= 8_000, `${tookMs} ms`);
  });

  test("a stream whose watcher has ended costs nothing more, even if its end was not heard", async () => {
    const stage = await remoteStage(PERFECT);
    const { wire, control, clock, store } = stage;
    const stopping = new AbortController();
    control.watchPods(NODE, () => {}, stopping.signal);
    await clock.advance(100);
    wire.cutUp = true;
    stopping.abort();
    await clock.advance(100);
    wire.cutUp = false;
    await clock.advance(3_000);
    const before = wire.framesDown;
    for (let at = 0; at < 10; at++) await createPod(store, `p${at}`);
    await clock.settle();
    assert.equal(wire.framesDown, before);
  });

  test("an image's pull secret may be read", async () => {
    const stage = await remoteStage(PERFECT);
    await createPod(stage.store, "web", NODE, { imagePullSecrets: [{ name: "registry" }] });
    assert.equal(await stage.over(stage.control.keyValues("Secret", "default", "registry")), undefined);
  });
});

describe("a slow agent costs a bounded amount, and others nothing", () => {
  test("what changes while it does not keep up is gathered, and the newest state comes when it does", async () => {
    const stage = await remoteStage(PERFECT);
    const { wire, store, clock } = stage;
    const other = stage.dial("n2");
    const toldOther = new Told();
    other.control.watchPods("n2", (assignments) => toldOther.take(assignments), never);
    const told = watch(stage);
    await stage.until(() => told.batches.length > 0 && toldOther.batches.length > 0, "both are told");
    const pod = await createPod(store, "web");
    await createPod(store, "other", "n2");
    wire.cutUp = true;
    const before = wire.framesDown;
    for (let at = 0; at < 500; at++) {
      await store.update((tx) => tx.update(pods, labelled(pod, `${at}`)));
      await clock.advance(1);
    }
    assert.ok(wire.framesDown - before <= MOST_UNACKNOWLEDGED + 2, `${wire.framesDown - before} frames`);
    assert.ok(toldOther.agrees(store, "n2"), "the other node is told at once");
    wire.cutUp = false;
    await stage.until(() => told.agrees(store), "the newest state", 5_000);
  });

  test("large assignments come in frames of bounded size", async () => {
    const stage = await remoteStage(PERFECT);
    await stage.store.update((tx) => {
      for (let at = 0; at < 300; at++) {
        tx.create<Pod>(pods, {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name: `p${at}`, namespace: "default", annotations: { text: "x".repeat(3_000) } },
          spec: { containers: [{ name: "main", image: "busybox" }], nodeName: NODE },
          status: { phase: "Pending" },
        });
      }
    });
    const told = watch(stage);
    await stage.until(() => told.agrees(stage.store), "all pods");
    assert.ok(stage.wire.longestFrame < FRAME_CHARS * 1.2, `${stage.wire.longestFrame} characters`);
    const message = "x".repeat(3_000);
    const reports = [...told.pods.values()].map((pod) => reportOf(pod, { phase: "Running", message }));
    await stage.over(stage.control.report(reports, []));
    assert.ok(stage.wire.longestFrame < FRAME_CHARS * 1.2, `${stage.wire.longestFrame} characters`);
    assert.ok(stage.store.list(pods).every(({ status }) => status.phase === "Running"));
  });

  test("when more changed than the store looks back on, everything is sent anew", async () => {
    const stage = await remoteStage(PERFECT);
    const { store } = stage;
    const told = watch(stage);
    await stage.until(() => told.batches.length > 0, "the first batch");
    const made: Promise<Pod>[] = [];
    for (let at = 0; at < 900; at++) made.push(createPod(store, `p${at}`));
    await stage.until(() => told.agrees(store) && told.pods.size === 900, "all pods");
  });
});

describe("links and their ends", () => {
  test("what is none of our frames closes the link, and breaks nothing", async () => {
    const stage = await remoteStage(PERFECT);
    const nonsense = [
      "",
      "{}",
      "[]",
      "null",
      '["c"]',
      '["b",1,{}]',
      '["c","s",1,1,{"method":"report"}]',
      '["z",1]',
      '["g","s",-1,0,0]',
    ];
    for (const text of nonsense) {
      let closed = "";
      const link: Link = { send: () => {}, close: (reason) => (closed = reason) };
      const listener = stage.dispatcher().accept(link, { nodeName: NODE });
      listener.frame(text);
      assert.notEqual(closed, "", text);
      listener.frame('["s","session"]');
    }
    assert.equal(stage.dispatcher().sessions, 0);
  });

  test("a link on which nothing is heard is closed from both sides", async () => {
    const stage = await remoteStage(PERFECT);
    const { wire, clock } = stage;
    const told = watch(stage);
    await stage.until(() => told.batches.length > 0, "a session");
    assert.equal(stage.dispatcher().sessions, 1);
    wire.cutUp = true;
    wire.cutDown = true;
    await clock.advance(8_000);
    assert.ok(wire.dials > 1, "the agent dials again");
    await clock.advance(20_000);
    assert.equal(stage.dispatcher().sessions, 0);
  });

  test("a link that was idle for an hour is the same link, and has cost a few frames a minute", async () => {
    const stage = await remoteStage(PERFECT);
    const { wire, clock } = stage;
    watch(stage);
    await clock.advance(3_600_000);
    assert.equal(wire.dials, 1);
    assert.ok(wire.framesDown <= 1_450 && wire.framesUp <= 730, `${wire.framesDown} down, ${wire.framesUp} up`);
  });

  test("after the control plane was away all are back well within the grace, and not in one moment", async () => {
    const stage = await remoteStage(PERFECT);
    const { clock } = stage;
    const agents = Array.from({ length: 100 }, (_, at) => stage.dial(`node-${at}`));
    for (const [at, { control }] of agents.entries()) control.watchPods(`node-${at}`, () => {}, never);
    await clock.advance(1_000);
    assert.equal(stage.dispatcher().sessions, 100);
    stage.crash();
    await clock.advance(600_000);
    stage.restart();
    const perTenth: number[] = [];
    for (let at = 0; at < 60; at++) {
      const before = stage.dispatcher().sessions;
      await clock.advance(100);
      perTenth.push(stage.dispatcher().sessions - before);
    }
    assert.equal(stage.dispatcher().sessions, 100, "all are back within 6 s");
    assert.ok(Math.max(...perTenth) <= 15, `${Math.max(...perTenth)} in one tenth of a second`);
  });

  test("a large assignment does not hold up heartbeats: they have a link of their own", async () => {
    const stage = await remoteStage(PERFECT);
    watch(stage);
    const beat = { node: NODE, bootId: "b", session: "s", sequence: 1, health: "ok" } as const;
    await stage.over(stage.control.heartbeat(beat));
    assert.equal(stage.wire.dials, 2);
  });

  test("a second address is dialed when the first does not answer", async () => {
    const stage = await remoteStage(PERFECT);
    const { clock, wire } = stage;
    const dead = new Wire(clock, new SeededRandom("dead"), () => assert.fail("nobody is there"));
    dead.cutUp = true;
    const dialers = [dead, wire];
    const control = new RemoteControl({ dialers, clock, random: new SeededRandom("two"), log: silentLog });
    const told = watch(stage, control);
    await stage.until(() => told.batches.length > 0, "told over the second address", 5_000);
  });

  test("closed from the agent's side, what waits is rejected and nothing is left", async () => {
    const stage = await remoteStage(PERFECT);
    const { wire, control, clock } = stage;
    watch(stage);
    await clock.advance(1_000);
    wire.cutUp = true;
    const waiting = control.report([], []);
    control.close("the agent ends");
    await assert.rejects(waiting, /the agent ends/);
    await assert.rejects(control.report([], []), /closed/);
    stage.dispatcher().stop();
    await clock.advance(30_000);
    assert.equal(clock.timers, 0);
  });
});

test("a thousand calls at once are all carried out, however many the dispatcher takes at a time", async () => {
  const stage = await remoteStage(PERFECT);
  const pod = await createPod(stage.store, "web");
  const calls = Array.from({ length: 1_000 }, (_, at) =>
    stage.control.report([reportOf(pod, { phase: "Running", message: `${at}` })], []),
  );
  await stage.over(Promise.all(calls));
  assert.equal(stage.store.get(pods, "default/web")?.status.message, "999");
});
