import type { Driver, ObservedRun } from "../drivers/driver.ts";
import type { DriverName } from "../model/pod.ts";
import type { Log } from "../seams/log.ts";
import type { Addresses } from "./addresses.ts";
import type { LocalRecord } from "./local-record.ts";
import { graceOf } from "./pod-machine.ts";
import { eachOf, removeRuns } from "./sweep.ts";
import type { Volumes } from "./volumes.ts";

export interface RemovalProgress {
  readonly done: number;
  readonly total: number;
  /** What was removed last, in words. */
  readonly what: string;
}

/** What this node's pods had. */
export interface Belongings {
  readonly drivers: ReadonlyMap<DriverName, Driver>;
  readonly addresses?: Addresses;
  readonly volumes: Volumes;
  readonly record: LocalRecord;
  readonly log: Log;
}

interface Listed {
  readonly driver: Driver;
  readonly runs: readonly ObservedRun[];
  readonly pods: readonly string[];
}

/** Pods at once whose belongings are removed. */
const AT_ONCE = 16;

/** Stops and removes everything that the drivers mark as ours, then what else its pods had. Failures are logged and counted. */
export async function removeEverything(
  belongings: Belongings,
  progress: (progress: RemovalProgress) => void,
  mostGraceMs: number,
): Promise<{ readonly failures: number }> {
  const { drivers, log, record } = belongings;
  const records = await record.load();
  const grace = new Map(records.map(({ pod }) => [pod.metadata.uid, Math.min(mostGraceMs, graceOf(pod))] as const));
  const listed = await Promise.all([...drivers.values()].map((driver) => everythingOf(driver, log)));
  const total = listed.reduce((sum, { runs }) => sum + runs.length, 0);
  let done = 0;
  const removed = (driver: Driver, { ref }: ObservedRun) =>
    progress({ done: ++done, total, what: `${driver.name} ${ref.container}` });
  const removals = listed.flatMap(({ driver, runs }) =>
    [...Map.groupBy(runs, ({ ref }) => grace.get(ref.podUid) ?? mostGraceMs)].map(([graceMs, group]) =>
      removeRuns(driver, group, graceMs, log, (run) => removed(driver, run)),
    ),
  );
  let failures = (await Promise.all(removals)).reduce((sum, failed) => sum + failed, 0);
  const uids = new Set([...records.map(({ pod }) => pod.metadata.uid), ...listed.flatMap(({ pods }) => pods)]);
  await eachOf([...uids].toSorted(), AT_ONCE, async (uid) => {
    failures += await releaseEverywhere(uid, listed, belongings);
  });
  return { failures };
}

async function everythingOf(driver: Driver, log: Log): Promise<Listed> {
  const report = await driver.describe();
  if (!report.ready) {
    log.warn("a driver is not ready: what it runs stays", { driver: driver.name, why: report.reason });
    return { driver, runs: [], pods: [] };
  }
  return { driver, runs: await driver.list(), pods: await driver.pods() };
}

/** How many failures. */
async function releaseEverywhere(uid: string, listed: readonly Listed[], belongings: Belongings): Promise<0 | 1> {
  const { volumes, addresses, record, log } = belongings;
  try {
    for (const { driver, pods } of listed) if (pods.includes(uid)) await driver.release(uid);
    await volumes.remove(uid);
    addresses?.release(uid);
    await record.remove(uid);
    return 0;
  } catch (error) {
    log.warn("what a pod had could not all be removed", { pod: uid, why: String(error) });
    return 1;
  }
}
