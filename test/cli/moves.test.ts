/** `styr drain` and `styr rebalance` against a whole control plane with three nodes whose pods are pretended. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { drainRoutes } from "../../src/api/drain.ts";
import { rebalanceRoutes } from "../../src/api/rebalance.ts";
import { type Actor, authorize } from "../../src/http/actor.ts";
import { nodes } from "../../src/model/node.ts";
import { pods } from "../../src/model/pod.ts";
import { startCluster, type TestCluster } from "./cluster.ts";
import { styr as run } from "./run-styr.ts";

const controller = (name: string, replicas: number, more = "") => `apiVersion: v1
kind: ReplicationController
metadata: { name: ${name} }
spec:
  replicas: ${replicas}
  selector: { app: ${name} }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { ${more} containers: [{ name: main, image: "busybox:1" }] }
`;
const SHELL = `apiVersion: v1
kind: Pod
metadata: { name: shell }
spec: { nodeName: n2, containers: [{ name: main, image: "busybox:1" }] }
`;

describe("styr:", () => {
  let cluster: TestCluster;
  let beating: NodeJS.Timeout;
  const styr = (args: readonly string[], input = "") => run(cluster.url, args, input);
  const apply = async (text: string) => {
    const { code, err } = await styr(["apply", "-f", "-"], text);
    assert.equal(code, 0, err);
  };
  const counts = () => ["n1", "n2", "n3"].map((node) => cluster.plane.store.by(pods, "node", node).length).join("/");

  before(async () => {
    cluster = await startCluster();
    await cluster.plane.store.update((tx) => {
      const n1 = tx.get(nodes, "n1");
      for (const name of ["n2", "n3"]) {
        assert.ok(n1);
        const labels = { ...n1.metadata.labels, "kubernetes.io/hostname": name };
        const nodeInfo = { ...n1.status.nodeInfo, machineID: `machine-${name}` };
        tx.create(nodes, { ...n1, metadata: { name, labels }, status: { ...n1.status, nodeInfo } });
      }
    });
    let sequence = 0;
    beating = setInterval(() => {
      sequence++;
      for (const node of ["n1", "n2", "n3"])
        cluster.plane.lifecycle.beat({ node, bootId: "boot", session: "s", sequence, health: "ok" });
    }, 1000);
  });
  after(async () => {
    clearInterval(beating);
    await cluster.close();
  });

  test("drain moves what is there, tells how far it is, and says what to do next", async () => {
    await apply(controller("web", 6));
    assert.equal(counts(), "2/2/2");
    const { code, out, err } = await styr(["drain", "n1"]);
    assert.equal(code, 0, err);
    assert.match(out, /^node n1 is drained: all 2 moved in \d+s\n$/);
    assert.match(err, /^n1: 0 of 2 moved$/m);
    assert.match(err, /^next: styr .*uncordon n1 when it may take pods again$/m);
    assert.equal(counts(), "0/3/3");
    assert.match((await styr(["nodes"])).out, /^n1 +ready, drained /m);
  });

  test("rebalance shows the gain, moves nothing before it is told to, and then has nothing to gain", async () => {
    assert.equal((await styr(["uncordon", "n1"])).code, 0);
    const plan = await styr(["rebalance", "--plan"]);
    assert.equal(plan.code, 0, plan.err);
    assert.match(plan.out, /^web +kubernetes +hosts +0\/3\/3 → 2\/2\/2 +2$/m);
    assert.match(plan.out, /^copies on n1\/n2\/n3$/m);
    assert.match(plan.out, /^2 moves of 1 workload, each started before it stops$/m);
    assert.match(plan.err, /^next: styr .*rebalance --apply$/m);
    const applied = await styr(["rebalance", "--apply"]);
    assert.equal(applied.code, 0, applied.err);
    assert.match(applied.out, /^rebalance done: 2 of 2 moved$/m);
    assert.equal(counts(), "2/2/2");
    assert.match((await styr(["rebalance"])).out, /^nothing to gain: no move is worth it$/m);
    assert.match((await styr(["rebalance", "--stop"])).out, /^no rebalance is under way$/m);
  });

  test("drain names what nothing would start elsewhere, and deletes it only with --force", async () => {
    await apply(SHELL);
    const left = await styr(["drain", "n2"]);
    assert.equal(left.code, 1, left.err);
    assert.match(
      left.out,
      /^node n2 is drained: all 2 moved in \d+s; 1 stays\n {2}default\/shell: nothing would start it/,
    );
    assert.match(left.err, /next: styr .*drain n2 --force/);
    const forced = await styr(["drain", "n2", "--force"]);
    assert.equal(forced.code, 0, forced.err);
    assert.match(forced.out, /^node n2 is drained: 1 deleted in \d+s$/m);
    assert.match(counts(), /^\d\/0\/\d$/);
    assert.equal((await styr(["uncordon", "n2"])).code, 0);
  });

  test("what has nowhere to go is named with the scheduler's reason, and ends the waiting with 2", async () => {
    await apply(controller("pinned", 1, 'nodeSelector: { "kubernetes.io/hostname": n3 },'));
    const { code, out, err } = await styr(["drain", "n3"]);
    assert.equal(code, 2, out + err);
    assert.match(out, /default\/pinned-\w+: 0 of 3 nodes can take it\./);
    assert.match(err, /next: styr .*drain n3 --deadline 0s stops them all the same/);
    assert.match((await styr(["nodes", "n3"])).out, /^n3 +ready, drain blocked /m);
    assert.match((await styr(["status"])).out, /^ +n3: draining \d\/\d, blocked \(more: styr .*drain n3\)$/m);
    const detached = await styr(["drain", "n3", "--detach", "--deadline", "0s"]);
    assert.equal(detached.code, 0, detached.err);
    assert.match(detached.out, /^node n3 is being drained$/m);
    assert.match(detached.err, /^n3 was being drained already; what is left is stopped at 20\d\d-\S+Z$/m);
    const followed = await styr(["drain", "n3"]);
    assert.equal(followed.code, 0, followed.err);
    assert.match(counts(), /^\d\/\d\/0$/);
  });

  test("wrong words are refused before anything happens", async () => {
    for (const [args, message] of [
      [["drain", "n9"], /there is no node "n9"/],
      [["drain", "n1", "--deadline", "soon"], /--deadline soon: give a duration/],
      [["drain", "n1", "--at-once", "0"], /--at-once 0: give a whole number/],
      [["rebalance", "--plan", "--apply"], /--plan and --apply contradict each other/],
      [["rebalance", "--apply", "--stop"], /--apply and --stop contradict each other/],
      [["rebalance", "--budget", "many"], /--budget many: give a whole number/],
    ] as const) {
      const { code, err } = await styr(args);
      assert.equal(code, 1, args.join(" "));
      assert.match(err, message);
    }
    assert.equal(cluster.plane.store.get(nodes, "n1")?.spec.unschedulable, undefined);
  });

  test("an operator may drain and rebalance, a viewer may look", () => {
    const context = { store: cluster.plane.store } as never;
    const as = (role: "operator" | "viewer"): Actor => ({ name: role, roles: [role] });
    for (const { method, path, access } of [...drainRoutes(context), ...rebalanceRoutes(context)]) {
      assert.equal(authorize(as("operator"), access), true, `${method} ${path}`);
      assert.equal(authorize(as("viewer"), access), method === "GET", `${method} ${path}`);
    }
  });
});
