import type { Driver, ObservedRun, RunRef } from "../drivers/driver.ts";
import type { Container, Pod } from "../model/pod.ts";
import type { PodEquipment } from "./pod-equipment.ts";
import type { ContainerSeen, PodSeen } from "./seen.ts";
import type { WorkerHost } from "./worker-host.ts";

/** A pod's worker as the effects see it: what they may read, and where they write down what came of them. */
export interface PodHandle {
  readonly host: WorkerHost;
  readonly equipment: PodEquipment;
  readonly pod: Pod;
  readonly seen: PodSeen;
  /** Aborts when what is being prepared is no longer wanted. */
  readonly signal: AbortSignal;
  patchPod(change: Partial<PodSeen>): void;
  setPod(change: (seen: PodSeen) => PodSeen): void;
  patch(container: string, change: (c: ContainerSeen) => ContainerSeen): void;
  observe(run: ObservedRun): void;
  wake(): void;
  container(name: string): Container;
  driverFor(container: string): Driver;
  refOf(container: string, attempt: number): RunRef;
}
