/**
 * One cluster of three servers on three etcd members and five hosts with engines, and what happens to it: each scenario leaves it whole
 * for the next. `npm run lab` runs this alone, `npm run lab -- drain upgrade` what has these words in its name, `-- --full` every fault
 * for as long as the requirement says.
 */
import { canRunLab } from "./harness/can-run-lab.ts";
import { LabCluster } from "./harness/lab-cluster.ts";
import { crashEngineAndAgent } from "./scenarios/crash.ts";
import { etcdWithoutSpace, fullDiskOnLeader } from "./scenarios/disk.ts";
import { frozenSlowAndCut } from "./scenarios/faults.ts";
import { joinAll, startServers } from "./scenarios/join.ts";
import { drainUnderLoad, startWeb, upgradeUnderLoad } from "./scenarios/moves.ts";
import { play, type Scenario } from "./scenarios/play.ts";
import { powerOffUnderPods } from "./scenarios/power-off.ts";
import { rebootAll } from "./scenarios/reboot.ts";
import { cutEtcdLeader, cutFollower, cutLeader } from "./scenarios/servers.ts";

const SCENARIOS: readonly Scenario[] = [
  { name: "three servers come up on etcd, two of them by a token", run: startServers, isBase: true },
  { name: "five hosts join in one go and run pods", run: joinAll, isBase: true },
  { name: "kill -9 of dockerd, containerd and the agent restarts no pod", run: crashEngineAndAgent },
  { name: "web servers on ports of their hosts", run: startWeb, isBase: true },
  { name: "a drain under load fails no request", run: drainUnderLoad },
  {
    name: "power off under 40 pods: successors for all of them, and 40 when it is back",
    run: powerOffUnderPods,
    isAlone: true,
  },
  {
    name: "a frozen host's pods move as each asks for, a slow disk moves none, a cut host looks after its own",
    run: frozenSlowAndCut,
    isAlone: true,
  },
  { name: "a server that follows is cut off: writes go on", run: cutFollower },
  { name: "the server that leads is cut off: writes within 5 s, none lost, no pod touched", run: cutLeader },
  { name: "the host of etcd's leader is cut off: the same", run: cutEtcdLeader },
  { name: "an upgrade under load restarts no pod and fails no request", run: upgradeUnderLoad },
  { name: "the leader's disk is full: nothing is lost, and it recovers", run: fullDiskOnLeader },
  { name: "etcd has no space: writes are refused in words, reads and pods go on", run: etcdWithoutSpace },
  { name: "all hosts reboot at once: the same pods at the same places", run: rebootAll, isAlone: true },
];

play({
  name: "lab: three servers and five hosts",
  skip: canRunLab(),
  open: () => LabCluster.open({ servers: 3, agents: 5 }),
  scenarios: SCENARIOS,
});
