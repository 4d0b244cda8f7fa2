import type { AdmissionDesk } from "../scheduling/fit/admission-desk.ts";
import type { AgentOptions } from "./agent-options.ts";
import type { DriverViews } from "./driver-views.ts";
import { EventFilter } from "./event-filter.ts";
import type { FenceWord } from "./fence.ts";
import type { Guard } from "./guard.ts";
import type { LastHeard } from "./last-heard.ts";
import type { NodeRegistration } from "./node-registration.ts";
import { PodEvents } from "./pod-events.ts";
import { PullQueue } from "./pull-queue.ts";
import type { Reporter } from "./reporter.ts";
import { StartQueue } from "./start-queue.ts";
import { TimerHeap } from "./timer-heap.ts";
import type { WorkerHost } from "./worker-host.ts";

/** Parts of an agent that its pods' workers go by. */
export interface AgentParts {
  readonly desk: AdmissionDesk;
  readonly registration: NodeRegistration;
  readonly reporter: Reporter;
  readonly views: DriverViews;
  readonly guard: Guard;
  readonly lastHeard: LastHeard;
  fence(): FenceWord | undefined;
  gone(podUid: string): void;
}

/** What all workers of one agent share in this boot of the host. */
export function workerHost(options: AgentOptions, bootId: string, parts: AgentParts): WorkerHost {
  const { clock, pullsAtOnce, startsAtOnce, addresses, gate } = options;
  const { desk, registration, reporter, views, guard, lastHeard } = parts;
  return {
    ...options,
    ...{ bootId, addresses, gate, reporter },
    // It may be another later.
    get hostAddress() {
      return options.hostAddress;
    },
    pulls: new PullQueue(clock, pullsAtOnce),
    starts: new StartQueue(clock, startsAtOnce),
    timers: new TimerHeap(clock),
    events: new PodEvents(new EventFilter(clock), reporter),
    fence: () => parts.fence(),
    leaseTerms: () => lastHeard.terms,
    guarded: (driver) => guard.cover(driver),
    room: () => registration.room,
    driversSeen: () => views.seen,
    admit: (pod) => desk.admit(pod),
    holds: (pod, held) => (held ? desk.hold(pod) : desk.free(pod.metadata.uid)),
    gone: (uid) => parts.gone(uid),
  };
}
