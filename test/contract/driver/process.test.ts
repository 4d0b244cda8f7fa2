import { join } from "node:path";
import { ProcessDriver } from "../../../src/drivers/process/process-driver.ts";
import type { Container } from "../../../src/model/pod.ts";
import { cannotKeepProcesses, openNodePlace } from "../keeper/node-place.ts";
import { driverContract } from "./driver-contract.ts";
import type { Subject } from "./subject.ts";

function shell(script: string): Partial<Container> {
  return { driver: "process", command: ["/bin/sh", "-c", script] };
}

async function openProcesses(): Promise<Subject> {
  const place = openNodePlace("contract");
  const { tree } = place;
  return {
    programs: {
      service: shell("trap 'exit 0' TERM; sleep 1000 & wait"),
      exits: (code, afterMs) => shell(`sleep ${afterMs / 1000}; exit ${code}`),
      stubborn: shell("trap '' TERM; sleep 1000 & wait; sleep 1000"),
      talker: shell("echo first; echo wrong >&2; echo second; echo third; trap 'exit 0' TERM; sleep 1000 & wait"),
    },
    reopen: () => new ProcessDriver({ keeper: place.connect(), tree, dataDir: join(place.dir, "runs") }),
    close: async () => place.close(),
  };
}

driverContract("process", openProcesses, cannotKeepProcesses());
