/**
 * One cluster of three servers on three etcd members and five hosts with engines, and what happens to it: each scenario leaves it whole
 * for the next. `npm run lab` runs this alone; `-- --full` makes every fault as long as it would be in a nightly run.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { canRunLab } from "./harness/can-run-lab.ts";
import { LabCluster } from "./harness/lab-cluster.ts";
import { Measured } from "./harness/measured.ts";
import { crashEngineAndAgent } from "./scenarios/crash.ts";
import { fullDiskOnLeader } from "./scenarios/disk.ts";
import { frozenSlowAndCut } from "./scenarios/faults.ts";
import { joinAll, startServers } from "./scenarios/join.ts";
import { drainUnderLoad, startWeb, upgradeUnderLoad } from "./scenarios/moves.ts";
import { powerOffUnderPods } from "./scenarios/power-off.ts";
import { rebootAll } from "./scenarios/reboot.ts";
import type { Scene } from "./scenarios/scenario.ts";
import { cutEtcdLeader, cutFollower, cutLeader } from "./scenarios/servers.ts";

const SIZES = { servers: 3, agents: 5 };

describe("lab: three servers and five hosts", { skip: canRunLab() ?? false }, () => {
  const measured = new Measured();
  let cluster: LabCluster;
  const scene = (): Scene => ({ cluster, measured, isFull: process.argv.includes("--full") });

  before(async () => {
    cluster = await LabCluster.open(SIZES);
  });
  after(() => {
    console.log(measured.table());
    cluster?.close();
    assert.deepEqual(cluster?.lab.left(), []);
  });

  test("three servers come up on etcd, two of them by a token", () => startServers(scene()));
  test("five hosts join in one go and run pods", () => joinAll(scene()));
  test("kill -9 of dockerd, containerd and the agent restarts no pod", () => crashEngineAndAgent(scene()));
  test("a server that follows is cut off: writes go on", () => cutFollower(scene()));
  test("the server that leads is cut off: writes within 5 s, none lost, no pod touched", () => cutLeader(scene()));
  test("the host of etcd's leader is cut off: the same", () => cutEtcdLeader(scene()));
  test("a frozen host's pods move as each asks for, a slow disk moves none, a cut host looks after its own", () =>
    frozenSlowAndCut(scene()));
  test("power off under 40 pods: successors for all of them, and 40 when it is back", () => powerOffUnderPods(scene()));
  test("web servers on ports of their hosts", () => startWeb(scene()));
  test("a drain under load fails no request", () => drainUnderLoad(scene()));
  test("an upgrade under load restarts no pod and fails no request", () => upgradeUnderLoad(scene()));
  test("the leader's disk is full: nothing is lost, and it recovers", () => fullDiskOnLeader(scene()));
  test("all hosts reboot at once: the same pods at the same places", () => rebootAll(scene()));
});
