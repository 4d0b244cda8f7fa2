import type { Driver, ObservedRun } from "../drivers/driver.ts";
import type { Container, Pod } from "../model/pod.ts";
import { ContainerProbes, type ProbeVerdict } from "./container-probes.ts";
import type { PodEquipment } from "./pod-equipment.ts";
import type { ContainerSeen } from "./seen.ts";
import type { WorkerHost } from "./worker-host.ts";

/** Of the pod that is probed, as far as its probes need to know it. */
export interface Probed {
  readonly host: WorkerHost;
  readonly equipment: PodEquipment;
  readonly pod: Pod;
  container(name: string): Container;
  driverFor(container: string): Driver;
}

export interface PodProbesOptions {
  readonly probed: Probed;
  /** The first verdict of a run, at once. */
  readonly began: (container: string, verdict: ProbeVerdict) => void;
  /** Another one, at any time. */
  readonly changed: (container: string, verdict: ProbeVerdict) => void;
}

/** The probes of a pod's containers: they begin and end with the run they look at. */
export class PodProbes {
  readonly #options: PodProbesOptions;
  readonly #running = new Map<string, ContainerProbes>();
  /** Containers that may run since before this agent did: what was known of them holds until their probes say otherwise. */
  readonly #adoptable: Set<string>;

  constructor(adoptable: readonly string[], options: PodProbesOptions) {
    this.#adoptable = new Set(adoptable);
    this.#options = options;
  }

  isLookingAt(container: string): boolean {
    return this.#running.has(container);
  }

  /** It is started by this agent: nothing that was known before is about that run. */
  startsAnew(container: string): void {
    this.#adoptable.delete(container);
  }

  begin(container: string, before: ContainerSeen, run: ObservedRun): void {
    const { clock } = this.#options.probed.host;
    this.end(container);
    const isAdopted = this.#adoptable.delete(container) && before.attempt === run.ref.attempt;
    const ageMs = isAdopted ? Math.max(0, clock.now() - (run.startedAtMs ?? clock.now())) : 0;
    const known = isAdopted ? knownOf(before) : undefined;
    const probes = new ContainerProbes(this.#target(container, run), this.#host(container), ageMs, known);
    this.#running.set(container, probes);
    this.#options.began(container, probes.verdict);
    probes.start();
  }

  end(container: string): void {
    this.#running.get(container)?.stop();
    this.#running.delete(container);
  }

  /** The pod is left as it runs. */
  stop(): void {
    for (const probes of this.#running.values()) probes.stop();
  }

  #target(name: string, run: ObservedRun) {
    const { host, equipment, pod } = this.#options.probed;
    return {
      ...{ pod, container: this.#options.probed.container(name), ref: run.ref },
      ...{ driver: this.#options.probed.driverFor(name), transport: host.transport },
      podAddress: equipment.podIP(pod) ?? run.address ?? host.hostAddress,
      hostAddress: host.hostAddress,
    };
  }

  #host(name: string) {
    const { probed, changed } = this.#options;
    const { clock, random, timers, events } = probed.host;
    return {
      ...{ clock, random, timers },
      changed: (verdict: ProbeVerdict) => changed(name, verdict),
      unhealthy: (words: string) => events.warning(probed.pod, "Unhealthy", words),
    };
  }
}

function knownOf({ started, ready, health }: ContainerSeen): ProbeVerdict {
  return { started, ready, ...(health ? { health } : {}) };
}
