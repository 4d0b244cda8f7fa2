import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withDisruption } from "../../model/disruption.ts";
import { keyOf } from "../../model/meta.ts";
import { nodes } from "../../model/node.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { replicationControllers } from "../../model/replication-controller.ts";
import { apps } from "../../personalities/marathon/kinds.ts";
import { definitionOf } from "../../personalities/marathon/test-app.ts";
import { unscheduledPod } from "../../scheduling/bind-pod.ts";
import { Census } from "../../scheduling/census.ts";
import { compileDemand } from "../../scheduling/demand.ts";
import { nodeInfoOf } from "../../scheduling/node-info.ts";
import { summarizeRefusals } from "../../scheduling/refusal-summary.ts";
import { type TestPod, testNode, testPod } from "../../scheduling/test-objects.ts";
import { rfc3339 } from "../../seams/clock.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure } from "../contract.ts";
import { AcknowledgedWrites } from "./acknowledged-writes.ts";
import { Authorisation } from "./authorisation.ts";
import { BrakeHolds } from "./brake-holds.ts";
import { Convergence } from "./convergence.ts";
import { DeadProcess } from "./dead-process.ts";
import { ExclusiveOnce } from "./exclusive-once.ts";
import { GoneMeansStopped } from "./gone-means-stopped.ts";
import { GuardIsLast } from "./guard-is-last.ts";
import { HardConstraints } from "./hard-constraints.ts";
import { allCheckers } from "./index.ts";
import { MovesLimited } from "./moves-limited.ts";
import { NoOversold } from "./no-oversold.ts";
import { OneNodeForLife } from "./one-node-for-life.ts";
import { OutageStopsNothing } from "./outage-stops-nothing.ts";
import { PendingReasons } from "./pending-reasons.ts";
import { PhasesForward } from "./phases-forward.ts";
import { Quiet } from "./quiet.ts";
import { SlowIsNotDead } from "./slow-is-not-dead.ts";
import { CheckerStage } from "./test-stage.ts";
import { UpdateFloor } from "./update-floor.ts";
import { WatchersSeeAll } from "./watchers-see-all.ts";

/** The violation is noticed, under the checker's own name, and was counted as judged. */
async function fires(checker: Checker, words: RegExp, violate: () => Promise<void> | void): Promise<void> {
  await assert.rejects(
    async () => await violate(),
    (error: unknown) => {
      assert.ok(error instanceof SimFailure, String(error));
      assert.equal(error.rule, checker.rule);
      assert.match(error.message, words);
      return true;
    },
  );
  assert.ok((checker.judgements ?? 0) > 0, "it has counted that it judged");
}

const exclusivePod = (name: string, nodeName: string) =>
  testPod({ name, owner: "db", spec: { nodeName, exclusive: true } });

/** A pod without a node, and then bound as the scheduler does it. */
async function bind(stage: CheckerStage, want: TestPod, nodeName: string): Promise<void> {
  const pod = testPod(want);
  await stage.commit((tx) => tx.create(pods, pod));
  await stage.changePod(keyOf(pod), (one) => ({ ...one, spec: { ...one.spec, nodeName } }));
}

describe("exclusive-once", () => {
  test("a second copy that runs while the first does is noticed", async () => {
    const checker = new ExclusiveOnce();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => {
      tx.create(pods, exclusivePod("a", "n1"));
      tx.create(pods, exclusivePod("b", "n2"));
    });
    stage.call("running", "n1", "uid-a");
    await fires(checker, /uid-a.* and uid-b/, () => stage.call("running", "n2", "uid-b"));
  });

  test("a copy may start once the other has ended, and several containers of one pod are one copy", async () => {
    const checker = new ExclusiveOnce();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => {
      tx.create(pods, exclusivePod("a", "n1"));
      tx.create(pods, exclusivePod("b", "n2"));
    });
    stage.call("running", "n1", "uid-a");
    stage.call("running", "n1", "uid-a", 0, "sidecar");
    stage.call("exited", "n1", "uid-a");
    stage.call("guard-kill", "n1", "uid-a", 0, "sidecar");
    stage.call("running", "n2", "uid-b");
    assert.equal(checker.judgements, 3);
  });

  test("what was deleted and applied again is the same, and what runs beside it need not be exclusive", async () => {
    for (const isExclusive of [true, false]) {
      const checker = new ExclusiveOnce();
      const stage = await CheckerStage.open(checker);
      const again = testPod({ name: "b", owner: "db", spec: { nodeName: "n2", exclusive: isExclusive } });
      const ownerReferences = again.metadata.ownerReferences?.map((owner) => ({ ...owner, uid: "another" })) ?? [];
      await stage.commit((tx) => tx.create(pods, exclusivePod("a", "n1")));
      stage.call("running", "n1", "uid-a");
      await stage.commit((tx) => {
        tx.remove(pods, "default/a");
        tx.create(pods, { ...again, metadata: { ...again.metadata, ownerReferences } });
      });
      await fires(checker, /uid-a.* and uid-b/, () => stage.call("running", "n2", "uid-b"));
    }
  });

  test("a pod without an owner that is made anew under its name is the same, and one that is taken up is its owner's", async () => {
    const bare = (uid: string, name: string, nodeName: string) => {
      const pod = testPod({ name, spec: { nodeName, exclusive: true } });
      return { ...pod, metadata: { ...pod.metadata, uid } };
    };
    for (const isTakenUp of [false, true]) {
      const checker = new ExclusiveOnce();
      const stage = await CheckerStage.open(checker);
      await stage.commit((tx) => tx.create(pods, bare("uid-a", "a", "n1")));
      stage.call("running", "n1", "uid-a");
      const { ownerReferences = [] } = exclusivePod("x", "n1").metadata;
      if (isTakenUp)
        await stage.changePod("default/a", (pod) => ({ ...pod, metadata: { ...pod.metadata, ownerReferences } }));
      await stage.commit((tx) => {
        tx.remove(pods, "default/a");
        tx.create(pods, isTakenUp ? exclusivePod("b", "n2") : bare("uid-b", "a", "n2"));
      });
      await fires(checker, /uid-a.* and uid-b/, () => stage.call("running", "n2", "uid-b"));
    }
  });

  test("what stands still with its whole host is judged again when that goes on", async () => {
    const checker = new ExclusiveOnce();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => {
      tx.create(pods, exclusivePod("a", "n1"));
      tx.create(pods, exclusivePod("b", "n2"));
    });
    stage.call("running", "n1", "uid-a");
    Object.assign(stage.world.hosts.get("n1") ?? {}, { isFrozen: true });
    stage.call("running", "n2", "uid-b");
    Object.assign(stage.world.hosts.get("n1") ?? {}, { isFrozen: false });
    checker.heard();
    await stage.clock.advance(2_000);
    await fires(checker, /uid-a.* and uid-b/, () => checker.heard());
  });

  test("two runs of one container at once are noticed", async () => {
    const checker = new ExclusiveOnce();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => tx.create(pods, exclusivePod("a", "n1")));
    stage.call("running", "n1", "uid-a", 0);
    await fires(checker, /attempt 0.*attempt 1|attempt 1.*attempt 0/, () => stage.call("running", "n1", "uid-a", 1));
  });
});

describe("guard-is-last", () => {
  test("a guard that kills although its agent is well is noticed", async () => {
    const checker = new GuardIsLast();
    const stage = await CheckerStage.open(checker);
    stage.call("running", "n1", "uid-a");
    checker.fault("n1: the engine hangs for 1000 ms");
    stage.call("guard-kill", "n1", "uid-a");
    await stage.clock.advance(200_000);
    await fires(checker, /its agent was well/, () => stage.call("guard-kill", "n1", "uid-a"));
  });

  test("it is there for agents that are dead", async () => {
    const checker = new GuardIsLast();
    const stage = await CheckerStage.open(checker);
    Object.assign(stage.world.hosts.get("n1") ?? {}, { isAgentUp: false });
    stage.call("guard-kill", "n1", "uid-a");
  });
});

describe("one-node-for-life", () => {
  test("a pod that moves to another node is noticed", async () => {
    const checker = new OneNodeForLife();
    const stage = await CheckerStage.open(checker);
    await bind(stage, { name: "a" }, "n1");
    await fires(checker, /bound to n1 and is bound to n2/, () =>
      stage.changePod("default/a", (pod) => ({ ...pod, spec: { ...pod.spec, nodeName: "n2" } })),
    );
  });

  test("a pod that starts where it is not bound is noticed", async () => {
    const checker = new OneNodeForLife();
    const stage = await CheckerStage.open(checker);
    await bind(stage, { name: "a" }, "n1");
    await fires(checker, /started on n2 and bound to n1/, () => stage.call("start", "n2", "uid-a"));
  });

  test("a uid that comes back is noticed", async () => {
    const checker = new OneNodeForLife();
    const stage = await CheckerStage.open(checker);
    await bind(stage, { name: "a" }, "n1");
    await stage.commit((tx) => tx.remove(pods, "default/a"));
    await fires(checker, /uid of an earlier pod/, async () => {
      await stage.commit((tx) => tx.create(pods, testPod({ name: "a" })));
    });
  });
});

describe("no-oversold", () => {
  for (const [why, first, second, words] of [
    ["CPU", { cpu: "3" }, { cpu: "2" }, /CPU/],
    ["memory", { memory: "5Gi" }, { memory: "4Gi" }, /memory/],
    ["a host port", { hostPort: 80 }, { hostPort: 80 }, /host port 80/],
  ] as const)
    test(`more ${why} than the node has is noticed`, async () => {
      const checker = new NoOversold();
      const stage = await CheckerStage.open(checker);
      await stage.commit((tx) => tx.create(nodes, testNode({ name: "n1" })));
      await bind(stage, { name: "a", ...first }, "n1");
      await fires(checker, words, () => bind(stage, { name: "b", ...second }, "n1"));
    });

  test("what ended pods held is free, also after a restart of the control plane", async () => {
    const checker = new NoOversold();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => tx.create(nodes, testNode({ name: "n1" })));
    await bind(stage, { name: "a", cpu: "3" }, "n1");
    await stage.changePod("default/a", (pod) => ({ ...pod, status: { phase: "Succeeded" } }));
    await stage.restart();
    await bind(stage, { name: "b", cpu: "4" }, "n1");
    assert.equal(checker.judgements, 2);
  });
});

describe("hard-constraints", () => {
  const apart: Pod["spec"]["affinity"] = {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "web" } } },
      ],
    },
  };
  for (const [why, node, want, words] of [
    ["a cordoned node", { cordoned: true }, {}, /cordon/],
    ["a node that is not ready", { ready: false }, {}, /not ready/],
    ["a taint", { taints: [{ key: "k", effect: "NoSchedule" }] }, {}, /taint/],
    ["a selector", {}, { spec: { nodeSelector: { disk: "ssd" } } }, /disk/],
    ["a pod that keeps others away", {}, { app: "web", spec: { affinity: apart } }, /web|apart|Affinity/],
  ] as const)
    test(`a binding against ${why} is noticed`, async () => {
      const checker = new HardConstraints();
      const stage = await CheckerStage.open(checker);
      await stage.commit((tx) => {
        tx.create(nodes, testNode({ name: "n1", ...node }));
        tx.create(pods, testPod({ name: "there", app: "web", spec: { nodeName: "n1" } }));
      });
      await fires(checker, words, () => bind(stage, { name: "a", ...want } as TestPod, "n1"));
    });

  test("a rule of a pod that is placed holds against those that come later", async () => {
    const checker = new HardConstraints();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => {
      tx.create(nodes, testNode({ name: "n1" }));
      tx.create(pods, testPod({ name: "there", app: "db", spec: { nodeName: "n1", affinity: apart } }));
    });
    await bind(stage, { name: "fine", app: "other" }, "n1");
    await fires(checker, /keeps this one away/, () => bind(stage, { name: "a", app: "web" }, "n1"));
  });
});

describe("phases-forward", () => {
  for (const [from, to] of [
    ["Running", "Pending"],
    ["Failed", "Running"],
    ["Succeeded", "Failed"],
  ] as const)
    test(`${from} → ${to} is noticed`, async () => {
      const checker = new PhasesForward();
      const stage = await CheckerStage.open(checker);
      await stage.commit((tx) => tx.create(pods, { ...testPod({ name: "a" }), status: { phase: from } }));
      await fires(checker, new RegExp(`from ${from} to ${to}`), () =>
        stage.changePod("default/a", (pod) => ({ ...pod, status: { phase: to } })),
      );
    });
});

describe("acknowledged-writes", () => {
  const answer = (revision: number) => ({ status: 201, text: `{"metadata":{"resourceVersion":"${revision}"}}` });
  const request = { method: "POST", path: "/api/v1/namespaces/default/pods" };

  test("an answer before the disk is noticed", async () => {
    const checker = new AcknowledgedWrites();
    const stage = await CheckerStage.open(checker);
    const [change] = await stage.commit((tx) => tx.create(pods, testPod({ name: "a" })));
    checker.answered(request, answer(change?.revision ?? 0));
    await fires(checker, /only \d+ is on disk/, () => checker.answered(request, answer((change?.revision ?? 0) + 1)));
  });

  test("what was shown and is gone after a crash is noticed", async () => {
    const checker = new AcknowledgedWrites();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => tx.create(pods, testPod({ name: "a" })));
    const empty = await CheckerStage.open(new AcknowledgedWrites());
    await fires(checker, /after the crash it is 0/, () => checker.started(empty.store));
  });
});

describe("update-floor", () => {
  async function appWith(copies: number) {
    const checker = new UpdateFloor();
    const stage = await CheckerStage.open(checker);
    const definition = definitionOf({
      cmd: "x",
      instances: 2,
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 },
    });
    await stage.commit((tx) => {
      const app = tx.create(apps, {
        ...{ apiVersion: "marathon/v2", kind: "App" },
        metadata: { name: "cart", namespace: "marathon" },
        ...{ spec: { definition }, status: {} },
      });
      for (let i = 0; i < copies; i++) {
        const pod = testPod({ name: `cart-${i}` });
        const ownerReferences = [
          { apiVersion: "marathon/v2", kind: "App", name: "cart", uid: app.metadata.uid, controller: true },
        ];
        const conditions = [{ type: "Ready", status: "True" }] as const;
        tx.create(pods, {
          ...pod,
          metadata: { ...pod.metadata, ownerReferences },
          status: { phase: "Running", conditions },
        });
      }
    });
    return { checker, stage };
  }
  const askedToGo = (pod: Pod): Pod => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: rfc3339(0) } });

  test("one copy too few is noticed", async () => {
    const { checker, stage } = await appWith(3);
    await stage.changePod("default/cart-0", askedToGo);
    await fires(checker, /1 ready instances are left of 2/, () => stage.changePod("default/cart-1", askedToGo));
  });

  test("what a person kills is not the update's doing", async () => {
    const { checker, stage } = await appWith(2);
    checker.asked({ method: "DELETE", path: "/v2/apps/cart/tasks" });
    await stage.changePod("default/cart-0", askedToGo);
    assert.equal(checker.judgements, 0);
  });
});

describe("outage-stops-nothing", () => {
  test("a stop that nobody asked for is noticed, and says whether the control plane was down", async () => {
    const checker = new OutageStopsNothing();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => tx.create(pods, testPod({ name: "a", spec: { nodeName: "n1" } })));
    stage.call("running", "n1", "uid-a");
    stage.server.isUp = false;
    await fires(checker, /nobody asked for it; the control plane is down/, () => stage.call("stop", "n1", "uid-a"));
  });

  test("a stop whose deletion was asked for is fine, and so is one of a pod that is gone", async () => {
    const checker = new OutageStopsNothing();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => {
      const pod = testPod({ name: "a", spec: { nodeName: "n1" } });
      tx.create(pods, { ...pod, metadata: { ...pod.metadata, deletionTimestamp: rfc3339(0) } });
    });
    stage.call("running", "n1", "uid-a");
    stage.call("stop", "n1", "uid-a");
    stage.call("running", "n1", "uid-gone");
    stage.call("stop", "n1", "uid-gone");
    assert.equal(checker.judgements, 2);
  });
});

const giveUp = (stage: CheckerStage, key: string) =>
  stage.changePod(key, (pod) => withDisruption(pod, "NodeUnreachable", "", stage.clock.now()));

describe("slow-is-not-dead", () => {
  async function running(want: TestPod = {}) {
    const checker = new SlowIsNotDead();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => {
      tx.create(nodes, testNode({ name: "n1" }));
      tx.create(pods, testPod({ name: "a", ...want, spec: { nodeName: "n1", ...want.spec } }));
    });
    await stage.beat(["n1"], 40_000);
    return { checker, stage };
  }

  test("a move after a silence that is too short is noticed", async () => {
    const { checker, stage } = await running();
    await stage.clock.advance(5_000);
    await fires(checker, /was silent for 6.00 s, not for 8.00 s/, () => giveUp(stage, "default/a"));
  });

  test("a move after the full silence is fine, also when the node comes back while it is written", async () => {
    const { checker, stage } = await running();
    await stage.clock.advance(8_000);
    await stage.beat(["n1"], 1_000);
    await giveUp(stage, "default/a");
    assert.ok(checker.judgements > 40);
  });

  test("a move within the grace of a start is noticed", async () => {
    const { checker, stage } = await running();
    await stage.restart();
    await stage.clock.advance(20_000);
    await fires(checker, /has been up for 20.00 s only/, () => giveUp(stage, "default/a"));
  });

  test("a move of a node that said goodbye is noticed", async () => {
    const { checker, stage } = await running();
    checker.parted({ node: "n1", session: "s-n1", why: "reboot" });
    await stage.clock.advance(60_000);
    await fires(checker, /said goodbye 60.00 s ago/, () => giveUp(stage, "default/a"));
  });

  test("an exclusive pod that is given away before its lease is over is noticed", async () => {
    const { checker, stage } = await running({ spec: { exclusive: true } });
    await stage.clock.advance(20_000);
    await fires(checker, /not for 40.00 s/, () => giveUp(stage, "default/a"));
  });

  test("a pod that is to be kept is never moved", async () => {
    const { checker, stage } = await running({ spec: { whenUnreachable: { action: "keep" } } });
    await stage.clock.advance(200_000);
    await fires(checker, /to be kept/, () => giveUp(stage, "default/a"));
  });
});

describe("brake-holds", () => {
  const names = ["n1", "n2", "n3", "n4", "n5", "n6"];
  async function silent(silentNames: readonly string[], zoneOf: (name: string) => string = () => "z") {
    const checker = new BrakeHolds();
    const stage = await CheckerStage.open(checker, names);
    await stage.commit((tx) => {
      for (const name of names)
        tx.create(nodes, testNode({ name, labels: { "topology.kubernetes.io/zone": zoneOf(name) } }));
      tx.create(pods, testPod({ name: "a", spec: { nodeName: "n1" } }));
    });
    await stage.beat(names, 60_000);
    await stage.beat(
      names.filter((name) => !silentNames.includes(name)),
      9_000,
    );
    return { checker, stage };
  }

  test("a move while most nodes are silent is noticed", async () => {
    const { checker, stage } = await silent(["n1", "n2", "n3", "n4"]);
    await fires(checker, /4 of 6 of the nodes are silent/, () => giveUp(stage, "default/a"));
  });

  test("a move while most of one zone is silent is noticed", async () => {
    const { checker, stage } = await silent(["n1", "n2"], (name) => (name < "n4" ? "east" : "west"));
    await fires(checker, /2 of 3 of the nodes of zone east/, () => giveUp(stage, "default/a"));
  });

  test("one silent node is no mass failure, and a person may say go", async () => {
    const one = await silent(["n1"]);
    await giveUp(one.stage, "default/a");
    const released = await silent(["n1", "n2", "n3", "n4"]);
    released.checker.asked({ method: "POST", path: "/styr/v1/brake/release" });
    await giveUp(released.stage, "default/a");
    assert.equal(one.checker.judgements + released.checker.judgements, 2);
  });
});

describe("moves-limited", () => {
  test("more moves of one workload at once than its limit are noticed", async () => {
    const checker = new MovesLimited();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => {
      for (let i = 0; i < 250; i++) tx.create(pods, testPod({ name: `a${i}`, owner: "web", spec: { nodeName: "n1" } }));
    });
    await fires(checker, /of ReplicationController web/, async () => {
      for (let i = 0; i < 250; i++) await giveUp(stage, `default/a${i}`);
    });
  });

  test("as many one after another are fine", async () => {
    const checker = new MovesLimited();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => {
      for (let i = 0; i < 400; i++) tx.create(pods, testPod({ name: `a${i}`, owner: "web", spec: { nodeName: "n1" } }));
    });
    for (let i = 0; i < 400; i++) {
      await giveUp(stage, `default/a${i}`);
      await stage.clock.advance(100);
    }
    assert.equal(checker.judgements, 400);
  });
});

describe("gone-means-stopped", () => {
  async function removed(isHeard: boolean) {
    const checker = new GoneMeansStopped();
    const stage = await CheckerStage.open(checker);
    await stage.commit((tx) => {
      tx.create(nodes, testNode({ name: "n1" }));
      tx.create(pods, testPod({ name: "a", spec: { nodeName: "n1" } }));
    });
    if (isHeard) checker.heard(stage.heartbeat("n1"));
    const ref = { podUid: "uid-a", container: "main", attempt: 0 };
    stage.machines.get("n1")?.runs.set("uid-a/main/0", { observed: { state: "running", ref } } as never);
    return { checker, remove: () => stage.commit((tx) => tx.remove(pods, "default/a")) };
  }

  test("a pod that leaves the store while it runs is noticed", async () => {
    const { checker, remove } = await removed(true);
    await fires(checker, /has left the store, and main of it runs on n1/, async () => {
      await remove();
    });
  });

  test("of a node that is lost nobody can know", async () => {
    const { checker, remove } = await removed(false);
    await remove();
    assert.equal(checker.judgements, 0);
  });
});

describe("dead-process", () => {
  test("a commit without a control plane is noticed", async () => {
    const checker = new DeadProcess();
    const stage = await CheckerStage.open(checker);
    stage.server.isUp = false;
    await fires(checker, /dead committed/, async () => {
      await stage.commit((tx) => tx.create(pods, testPod({})));
    });
  });

  test("a call to a driver without an agent is noticed", async () => {
    const checker = new DeadProcess();
    const stage = await CheckerStage.open(checker);
    Object.assign(stage.world.hosts.get("n1") ?? {}, { isAgentUp: false });
    await fires(checker, /n1 has no agent/, () => stage.call("stop", "n1", "uid-a"));
  });
});

describe("pending-reasons", () => {
  const judged = async (change: (pod: Pod, message: string) => Pod) => {
    const checker = new PendingReasons();
    const stage = await CheckerStage.open(checker);
    const big = testPod({ name: "big", cpu: "9" });
    const infos = [nodeInfoOf(testNode({ name: "n1" }), [])];
    const { message } = summarizeRefusals(compileDemand(big), infos, Census.of(infos));
    await stage.commit((tx) => {
      tx.create(nodes, testNode({ name: "n1" }));
      tx.create(pods, change(big, message));
    });
    return { checker, stage };
  };

  test("a pod that waits without a reason is noticed", async () => {
    const { checker, stage } = await judged((pod) => pod);
    await fires(checker, /nothing says why/, () => checker.settled(stage.world));
  });

  test("a pod that waits although a node would take it is noticed", async () => {
    const { checker, stage } = await judged((_, message) => unscheduledPod(testPod({ name: "small" }), message, 0));
    await fires(checker, /n1 would take it/, () => checker.settled(stage.world));
  });

  test("a reason that is not so any more is noticed", async () => {
    const { checker, stage } = await judged((pod) =>
      unscheduledPod(pod, "0 of 1 node can take it. n1: needs 9 CPU, 1 of 4 free", 0),
    );
    await fires(checker, /not what any node says now/, () => checker.settled(stage.world));
  });

  test("a true reason is fine", async () => {
    const { checker, stage } = await judged((pod, message) => unscheduledPod(pod, message, 0));
    checker.settled(stage.world);
    assert.equal(checker.judgements, 1);
  });
});

describe("watchers-see-all", () => {
  test("a change that a watcher does not see is noticed", async () => {
    const checker = new WatchersSeeAll();
    const stage = await CheckerStage.open(checker);
    const since = stage.store.revision;
    const watch = stage.store.watch.bind(stage.store);
    // A store that loses every second change on the way to its watchers.
    stage.store.watch = async function* (options) {
      for await (const changes of watch(options)) yield changes.filter(({ revision }) => revision % 2 === since % 2);
    };
    checker.started(stage.store);
    await fires(checker, /after revision \d+ a watcher saw/, async () => {
      for (let i = 0; i < 4; i++) {
        await stage.commit((tx) => tx.create(pods, testPod({ name: `a${i}` })));
        await stage.clock.settle();
      }
      checker.settled();
    });
    checker.end();
  });

  test("a watch over HTTP that repeats a change is noticed", async () => {
    const checker = new WatchersSeeAll();
    const stage = await CheckerStage.open(checker);
    const lines: string[] = [];
    const wake: (() => void)[] = [];
    Object.assign(stage.server, {
      handle: async (request: Request) =>
        request.url.includes("watch")
          ? new Response(
              new ReadableStream({
                async pull(controller) {
                  if (lines.length === 0) await new Promise<void>((resolve) => wake.push(resolve));
                  controller.enqueue(Buffer.from(lines.shift() ?? ""));
                },
              }),
            )
          : Response.json({ metadata: { resourceVersion: "0" } }),
    });
    checker.started(stage.store);
    await stage.clock.settle();
    const [change] = await stage.commit((tx: Parameters<Parameters<typeof stage.commit>[0]>[0]) =>
      tx.create(pods, testPod({ name: "a" })),
    );
    const line = `${JSON.stringify({ type: "ADDED", object: (change as Change).object })}\n`;
    await fires(checker, /nothing was next/, async () => {
      lines.push(line, line);
      for (const resolve of wake.splice(0)) resolve();
      for (let i = 0; i < 5; i++) await stage.clock.settle();
      checker.settled();
    });
    checker.end();
  });
});

describe("authorisation", () => {
  test("a viewer's write that is taken, and nobody's look that is answered, are noticed", async () => {
    const checker = new Authorisation();
    const said = { status: 200, text: "" };
    checker.answered({ as: "viewer", method: "GET", path: "/v2/apps" }, said);
    await fires(checker, /by a viewer: 200/, () => checker.answered({ as: "viewer", method: "PUT", path: "/x" }, said));
    await fires(checker, /by nobody: 200/, () =>
      checker.answered({ as: "anonymous", method: "GET", path: "/v2/apps" }, said),
    );
  });

  test("at the end every dialect is tried by those who may not", async () => {
    const checker = new Authorisation();
    const stage = await CheckerStage.open(checker);
    await checker.settled(stage.world);
    assert.equal(checker.judgements, 6);
    Object.assign(stage.world, { request: async () => ({ status: 201, text: "" }) });
    await fires(checker, /by viewer: 201/, () => checker.settled(stage.world));
  });
});

describe("convergence", () => {
  const rc = {
    ...{ apiVersion: "v1", kind: "ReplicationController" as const },
    metadata: { name: "web", namespace: "default", uid: "web" },
    spec: {
      replicas: 1,
      selector: { app: "web" },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [] } },
    },
    status: { replicas: 0 },
  };

  test("copies that are missing, and what runs unwanted, are noticed", async () => {
    const checker = new Convergence();
    const stage = await CheckerStage.open(checker, ["n1"]);
    await stage.commit((tx) => {
      tx.create(nodes, testNode({ name: "n1" }));
      tx.create(replicationControllers, rc);
    });
    const run = { run: { ref: { podUid: "uid-x", container: "main", attempt: 0 } }, observed: { state: "running" } };
    stage.machines.get("n1")?.runs.set("uid-x/main/0", run as never);
    stage.machines.get("n1")?.pods.add("uid-x");
    await fires(checker, /uid-x runs on n1, unwanted; something of pod uid-x is left.*web has 0 copies of 1/, () =>
      checker.settled(stage.world),
    );
  });

  test("nothing wanted and nothing there is fine", async () => {
    const checker = new Convergence();
    const stage = await CheckerStage.open(checker, ["n1"]);
    await checker.settled(stage.world);
    assert.equal(checker.judgements, 1);
  });
});

describe("quiet", () => {
  test("a write in a minute of rest is noticed, unless it is about a program that ends again and again", async () => {
    const checker = new Quiet();
    const stage = await CheckerStage.open(checker);
    const crashing = testPod({ name: "loop", spec: { containers: [{ name: "main", image: "fake/exit-1" }] } });
    await stage.commit((tx) => {
      tx.create(pods, testPod({ name: "a", spec: { nodeName: "n1" } }));
      tx.create(pods, crashing);
    });
    const writing = (key: string) =>
      stage.clock.setTimer(1_000, () => {
        void stage.changePod(key, (pod) => ({ ...pod, status: { ...pod.status, message: "again" } }));
      });
    writing("default/loop");
    await checker.settled(stage.world);
    writing("default/a");
    await fires(checker, /modified Pod default\/a/, () => checker.settled(stage.world));
  });
});

test("every checker has a name and words of its own", () => {
  const all = allCheckers();
  assert.equal(new Set(all.map(({ rule }) => rule)).size, all.length);
  for (const { words } of all) assert.match(words, /^[A-Z].*\.$/);
});
