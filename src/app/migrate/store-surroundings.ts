import { SystemClock } from "../../seams/clock.ts";
import { silentLog } from "../../seams/log.ts";
import { SystemRandom } from "../../seams/random.ts";
import type { Settings } from "../settings.ts";
import { programVersion } from "../version.ts";
import type { StoreSurroundings } from "./opened-store.ts";

export function storeSurroundings({ stateDir }: Settings): StoreSurroundings {
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog };
  return {
    ...{ stateDir, ...parts },
    version: programVersion(),
    openEtcd: async (place) => {
      const { openEtcd } = await import("../server/open-etcd.ts");
      return openEtcd(parts, place);
    },
  };
}
