/** What the unit driver knows of the containers that its units start with `docker run`: where their cgroups may lie, and when to look again. */
import { listChildren } from "../drivers/docker/children.ts";
import { containerCounters, execInContainer, UsageMeter } from "../drivers/docker/container-streams.ts";
import type { Engine } from "../drivers/docker/engine.ts";
import { followEvents } from "../drivers/docker/events.ts";
import { LABEL } from "../drivers/docker/labels.ts";
import { DriverError } from "../drivers/driver.ts";
import type { UnitDriver, UnitDriverOptions } from "../drivers/unit/unit-driver.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";

interface Options {
  readonly engine: Engine;
  readonly instance: string;
  readonly cgroupRoot: string;
  /** The pods' Docker network: what is on it is reached from every host. */
  readonly network?: string;
  readonly clock: Clock;
  readonly log: Log;
}

type UnitDriverPart = Required<
  Pick<UnitDriverOptions, "childLabels" | "children" | "childExec" | "childUsage" | "cgroupParent">
>;

/** Moves of a container after which its unit's row may look different. */
const MOVES = ["create", "start", "die", "destroy"];

export class UnitContainers {
  readonly #options: Options;
  readonly #meter = new UsageMeter();
  /** With systemd's cgroup driver an engine takes slices only, and the containers' cgroups are its own affair. */
  #takesCgroups = false;

  constructor(options: Options) {
    this.#options = options;
  }

  get forDriver(): UnitDriverPart {
    const { engine, instance, cgroupRoot, clock, network } = this.#options;
    return {
      childLabels: (run, unitName) => ({
        [LABEL.unit]: unitName,
        [LABEL.instance]: instance,
        [LABEL.pod]: run.pod.uid,
      }),
      children: async (podUid, unitName, names) => {
        const found = await listChildren(engine, {
          unit: unitName,
          names,
          ...(network === undefined ? {} : { network }),
        });
        return found.filter(({ labels }) => isStartedBy(podUid, instance, labels));
      },
      childExec: (id, request) => execInContainer(engine, id, request),
      childUsage: async (id) => {
        const counters = await containerCounters(engine, id);
        const nowMs = clock.monotonic();
        return counters && this.#meter.read(id, counters, nowMs, nowMs);
      },
      cgroupParent: (cgroup) => (this.#takesCgroups ? `/${cgroupRoot}/${cgroup}` : undefined),
    };
  }

  /** Until `signal` aborts. */
  async follow(driver: UnitDriver, signal: AbortSignal): Promise<void> {
    const { engine, clock, log } = this.#options;
    const look = async (event: unknown) => {
      if (event === "lost") await this.learn();
      await driver.refreshChildren();
    };
    await followEvents(engine, { event: MOVES }, look, { signal, clock, log });
  }

  /** Asks the engine which cgroup driver it has; one that does not answer is asked again when its events come. */
  async learn(timeoutMs = 5_000): Promise<void> {
    try {
      const { CgroupDriver } = await this.#options.engine.call<{ CgroupDriver?: string }>({
        method: "GET",
        path: "/info",
        timeoutMs,
      });
      this.#takesCgroups = CgroupDriver === "cgroupfs";
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      this.#options.log.info("the engine was not asked for its cgroup driver", { error: error.message });
    }
  }
}

/**
 * An image brings labels too, so the unit's name alone proves nothing: a pod's own container is never a unit's, and one that
 * names a pod or a state directory must name ours. A container found by its name (`docker run --name` in a shell) has none of them.
 */
export function isStartedBy(podUid: string, instance: string, labels: Readonly<Record<string, string>>): boolean {
  if (labels[LABEL.role] !== undefined || labels[LABEL.podUid] !== undefined) return false;
  const [itsPod, itsInstance] = [labels[LABEL.pod], labels[LABEL.instance]];
  if (labels[LABEL.unit] === undefined) return itsPod === undefined && itsInstance === undefined;
  return itsPod === podUid && itsInstance === instance;
}
