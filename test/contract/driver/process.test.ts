import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerRun, Driver, ObservedRun } from "../../../src/drivers/driver.ts";
import { ProcessDriver } from "../../../src/drivers/process/process-driver.ts";
import type { Container } from "../../../src/model/pod.ts";
import { cannotKeepProcesses, openNodePlace } from "../keeper/node-place.ts";
import { driverContract } from "./driver-contract.ts";
import { eventually } from "./observer.ts";
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
    reopen: () => untilTrapped(new ProcessDriver({ keeper: place.connect(), tree, dataDir: join(place.dir, "runs") })),
    close: async () => place.close(),
  };
}

/** A start takes 5 ms, and a shell as long again to come to its `trap`: a stop before that would not be what is tried. */
function untilTrapped(driver: Driver): Driver {
  const start = async (run: ContainerRun): Promise<ObservedRun> => {
    const observed = await ProcessDriver.prototype.start.call(driver, run);
    const hasTrap = run.spec.command?.some((word) => word.includes("trap")) && observed.state === "running";
    if (hasTrap) await eventually("its trap", async () => (handlesTerm(observed) && sleeps(observed)) || undefined);
    return observed;
  };
  return Object.assign(driver, { start });
}

/** SigIgn and SigCgt of proc(5): bit 14 is SIGTERM. */
function handlesTerm({ id }: ObservedRun): boolean {
  const status = readFileSync(`/proc/${id.replace("process://", "")}/status`, "utf8");
  return [...status.matchAll(/^Sig(?:Ign|Cgt):\s*([0-9a-f]+)$/gm)].some(([, mask]) => BigInt(`0x${mask}`) & 0x4000n);
}

/** A shell between its fork and its `wait` does not run a trap until that wait ends: it has to have come there. */
function sleeps({ id }: ObservedRun): boolean {
  return /\) S /.test(readFileSync(`/proc/${id.replace("process://", "")}/stat`, "utf8"));
}

driverContract("process", openProcesses, cannotKeepProcesses());
