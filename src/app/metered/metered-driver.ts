import { type ContainerRun, type Driver, DriverError, type ObservedRun } from "../../drivers/driver.ts";
import { withMembers } from "../../lib/with-members.ts";
import type { AgentMeters } from "../../metrics/agent-metrics.ts";
import type { Clock } from "../../seams/clock.ts";

const OPERATIONS = [
  "describe",
  "list",
  "prepare",
  "start",
  "stop",
  "remove",
  "release",
  "pods",
  "quiesce",
  "exec",
  "probe",
  "usage",
] as const;

type Call = (...args: readonly unknown[]) => Promise<unknown>;

/** The same driver, whose calls are counted and timed. */
export function meteredDriver(driver: Driver, clock: Clock, meters: AgentMeters): Driver {
  const timed = OPERATIONS.filter((name) => driver[name] !== undefined).map((name) => {
    const call = (driver[name] as unknown as Call).bind(driver);
    return [
      name,
      (...args: readonly unknown[]) => measured(() => call(...args), { clock, meters, driver: driver.name, name }),
    ];
  });
  const members = Object.fromEntries(timed) as Pick<Driver, "start" | "prepare" | "describe" | "probe">;
  const { start, prepare, describe, probe } = members;
  return withMembers<Driver>(driver, {
    ...members,
    start: (run) => counted(() => start(run), run, { clock, meters, driver: driver.name }),
    prepare: (run, options) => pulled(prepare, [run, options], clock, meters),
    describe: async () => {
      const report = await describe();
      meters.gauge("styr_driver_ready", report.ready ? 1 : 0, driver.name);
      return report;
    },
    ...(probe === undefined ? {} : { probe: (...asked) => probed(() => probe(...asked), meters) }),
  });
}

interface Measured {
  readonly clock: Clock;
  readonly meters: AgentMeters;
  readonly driver: string;
  readonly name: string;
}

async function measured<R>(call: () => Promise<R>, { clock, meters, driver, name }: Measured): Promise<R> {
  const beganMs = clock.monotonic();
  let result = "ok";
  try {
    return await call();
  } catch (error) {
    result = error instanceof DriverError && error.temporary ? "retry" : "error";
    throw error;
  } finally {
    meters.count("styr_driver_operations_total", driver, name, result);
    const seconds = (clock.monotonic() - beganMs) / 1000;
    meters.observe("styr_driver_operation_duration_seconds", seconds, driver, name);
  }
}

async function counted(
  start: () => Promise<ObservedRun>,
  { ref }: ContainerRun,
  { clock, meters, driver }: Omit<Measured, "name">,
): Promise<ObservedRun> {
  const beganMs = clock.monotonic();
  const observed = await start();
  meters.count("styr_container_starts_total", driver);
  if (ref.attempt > 0) meters.count("styr_container_restarts_total", driver);
  const seconds = (clock.monotonic() - beganMs) / 1000;
  if (observed.address !== undefined) meters.observe("styr_pod_network_duration_seconds", seconds);
  return observed;
}

/** A driver tells of progress only where there is something to pull. */
async function pulled(
  prepare: Driver["prepare"],
  [run, options]: Parameters<Driver["prepare"]>,
  clock: Clock,
  meters: AgentMeters,
): Promise<void> {
  const beganMs = clock.monotonic();
  let isPulling = false;
  const progress = (words: string) => {
    isPulling = true;
    options.progress?.(words);
  };
  let result = "ok";
  try {
    await prepare(run, { ...options, progress });
  } catch (error) {
    result = "failed";
    throw error;
  } finally {
    const seconds = (clock.monotonic() - beganMs) / 1000;
    if (isPulling || result === "failed") meters.observe("styr_image_pull_duration_seconds", seconds, result);
  }
}

/** One that could not be asked says nothing of the container. */
async function probed(
  probe: () => ReturnType<NonNullable<Driver["probe"]>>,
  meters: AgentMeters,
): ReturnType<NonNullable<Driver["probe"]>> {
  const answer = await probe();
  meters.count("styr_probes_total", "exec", answer.exitCode === 0 ? "success" : "failure");
  return answer;
}
