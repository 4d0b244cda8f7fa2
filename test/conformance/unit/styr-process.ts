/** A program of its own with nothing but the unit driver in it, so that a test can kill it with -9. Arguments: state folder, keeper's folder, cgroup root. */
import { CgroupTree } from "../../../src/drivers/cgroup/cgroup-tree.ts";
import type { ContainerRun } from "../../../src/drivers/driver.ts";
import { KeeperClient } from "../../../src/drivers/keeper/keeper-client.ts";
import { UnitDriver } from "../../../src/drivers/unit/unit-driver.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SystemRandom } from "../../../src/seams/random.ts";

const [stateDir = "", keeperDir = "", root = "", run = ""] = process.argv.slice(2);
const driver = new UnitDriver({
  ...{
    keeper: new KeeperClient({ stateDir: keeperDir, cgroupRoot: root }),
    cgroups: new CgroupTree({ root }),
    stateDir,
  },
  ...{ clock: new SystemClock(), random: new SystemRandom(), log: silentLog },
});
await driver.start(JSON.parse(run) as ContainerRun);
process.stdout.write("started\n");
setInterval(() => undefined, 1000);
