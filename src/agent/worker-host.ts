import type { Driver } from "../drivers/driver.ts";
import type { LeaseTerms } from "../model/heartbeat.ts";
import type { DriverName, Pod } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Transport } from "../seams/transport.ts";
import type { Addresses } from "./addresses.ts";
import type { Control } from "./control.ts";
import type { FenceWord } from "./fence.ts";
import type { LocalRecord } from "./local-record.ts";
import type { PodEvents } from "./pod-events.ts";
import type { PodGate } from "./pod-gate.ts";
import type { PullQueue } from "./pull-queue.ts";
import type { Reporter } from "./reporter.ts";
import type { DriverSeen } from "./seen.ts";
import type { StartQueue } from "./start-queue.ts";
import type { TimerHeap } from "./timer-heap.ts";
import type { Volumes } from "./volumes.ts";

/** What a pod's worker has of its agent. */
export interface WorkerHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly transport: Transport;
  readonly control: Control;
  readonly drivers: ReadonlyMap<DriverName, Driver>;
  readonly record: LocalRecord;
  readonly volumes: Volumes;
  readonly addresses: Addresses | undefined;
  /** What Docker calls the network of those addresses. */
  readonly podNetwork?: string;
  readonly pulls: PullQueue;
  readonly starts: StartQueue;
  readonly timers: TimerHeap;
  readonly reporter: Reporter;
  readonly events: PodEvents;
  /** Absent: the network is somebody else's. */
  readonly gate?: PodGate | undefined;
  readonly nodeName: string;
  readonly hostAddress: string;
  readonly bootId: string;
  /** Of the node as last read. */
  room(): {
    readonly allocatable: { readonly cpuMillis: number; readonly memoryBytes: number };
    readonly memoryCapacityBytes: number;
  };
  driversSeen(): Readonly<Partial<Record<DriverName, DriverSeen>>>;
  /** Whether the pod still fits beside those that are here. */
  admit(pod: Pod): { readonly reason: string; readonly message: string } | undefined;
  /** Whether the pod takes room here, told when it changes. */
  holds(pod: Pod, held: boolean): void;
  /** Why a pod of which there may be one only may not run here now. */
  fence(): FenceWord | undefined;
  /** The terms that such a pod runs under; undefined while nobody has said. */
  leaseTerms(): LeaseTerms | undefined;
  /** Before a run of such a pod is started: something that outlives the agent watches over it. */
  guarded(driver: DriverName): Promise<void>;
  /** Nothing is left of the pod and nobody need be told. */
  gone(podUid: string): void;
}
