import { join } from "node:path";
import type { Driver } from "../../../src/drivers/driver.ts";
import { UnitDriver } from "../../../src/drivers/unit/unit-driver.ts";
import type { Container } from "../../../src/model/pod.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SystemRandom } from "../../../src/seams/random.ts";
import { cannotKeepProcesses, openNodePlace } from "../keeper/node-place.ts";
import { driverContract } from "./driver-contract.ts";
import type { Subject } from "./subject.ts";

function shell(script: string, stopSeconds = 90): Partial<Container> {
  const options = [
    { section: "Service", name: "ExecStart", value: `/bin/sh -c "${script}"` },
    { section: "Service", name: "TimeoutStopSec", value: String(stopSeconds) },
  ];
  return { driver: "unit", unit: { name: "contract.service", options } };
}

async function openUnits(): Promise<Subject> {
  const place = openNodePlace("unit-contract");
  let current: UnitDriver | undefined;
  const next = () =>
    new UnitDriver({
      ...{ keeper: place.connect(), cgroups: place.tree, stateDir: join(place.dir, "units") },
      ...{ clock: new SystemClock(), random: new SystemRandom(), log: silentLog },
    });
  return {
    programs: {
      service: shell("trap 'exit 0' TERM; sleep 1000 & wait"),
      exits: (code, afterMs) => shell(`sleep ${afterMs / 1000}; exit ${code}`),
      // A unit says itself how long it may take to stop.
      stubborn: shell("trap '' TERM; sleep 1000 & wait; sleep 1000", 1),
      talker: shell("echo first; echo wrong >&2; echo second; echo third; trap 'exit 0' TERM; sleep 1000 & wait"),
    },
    reopen: () => {
      current?.close();
      current = next();
      return latest(() => current as Driver);
    },
    close: async () => {
      current?.close();
      place.close();
    },
  };
}

/** Two programs never hold one node's units at once: whoever has an older object talks to the newest. */
function latest(driver: () => Driver): Driver {
  return new Proxy(driver(), {
    get: (_, key: keyof Driver) => {
      const target = driver();
      const member = target[key];
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

driverContract("unit", openUnits, cannotKeepProcesses());
