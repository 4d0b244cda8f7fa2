import type { Pod, PodStatus } from "../model/pod.ts";
import { isTerminal } from "../model/pod.ts";
import type { ContainerRecord, PodRecord } from "./local-record.ts";
import type { Now } from "./restart-rules.ts";
import {
  allContainers,
  type ContainerSeen,
  NEW_CONTAINER,
  newlySeen,
  outcomeOf,
  type PodSeen,
  type Stage,
} from "./seen.ts";

/** What is written down of a pod. */
export interface PodMemory {
  readonly pod: Pod;
  readonly seen: PodSeen;
  readonly status: PodStatus | undefined;
  readonly address: string | undefined;
  readonly values: PodRecord["values"];
  readonly leaving: PodRecord["leaving"];
  readonly startedWallMs: number;
  readonly leaseTerms?: PodRecord["leaseTerms"] | undefined;
}

export function recordOf(memory: PodMemory, bootId: string, now: Now): PodRecord {
  const { pod, seen, status, address, values, leaving, startedWallMs, leaseTerms } = memory;
  const containers = Object.entries(seen.containers).map(([name, c]) => [name, containerRecord(c, now)] as const);
  return {
    version: 1,
    pod,
    ...(status === undefined ? {} : { status }),
    bootId,
    stage: seen.stage,
    ...(seen.outcome === undefined ? {} : { outcome: seen.outcome }),
    admitted: seen.admission === "yes",
    ...(address === undefined ? {} : { address }),
    ...(leaving === undefined ? {} : { leaving }),
    startedWallMs,
    containers: Object.fromEntries(containers),
    ...(values === undefined ? {} : { values }),
    ...(leaseTerms === undefined ? {} : { leaseTerms }),
  };
}

function containerRecord(c: ContainerSeen, now: Now): ContainerRecord {
  return {
    attempt: c.attempt,
    crashes: c.crashes,
    postStarted: c.postStarted,
    started: c.started,
    ready: c.ready,
    wasStarted: c.wasStarted,
    ...(c.busy === "starting" ? { starting: true } : {}),
    retryAtWallMs: now.wallMs + (c.retryAtMs - now.monoMs),
    ...(c.startedImage === undefined ? {} : { startedImage: c.startedImage }),
    ...(c.preparedImage === undefined ? {} : { preparedImage: c.preparedImage }),
    ...(c.kill === undefined ? {} : { kill: c.kill }),
    ...(c.fences === undefined ? {} : { fences: c.fences }),
    ...(c.health === undefined ? {} : { health: c.health }),
  };
}

/** The pod as it was when the record was written; what runs is still to be seen. */
export function seenFromRecord(record: PodRecord, bootId: string, now: Now): PodSeen {
  const sameBoot = record.bootId === bootId;
  const containers = allContainers(record.pod).map(({ name }) => {
    const known = record.containers[name];
    return [name, known ? remembered(known, record.status, name, sameBoot, now) : NEW_CONTAINER] as const;
  });
  return {
    stage: stageAfter(record, sameBoot),
    ...(record.outcome === undefined ? {} : { outcome: record.outcome }),
    ...(record.admitted ? { admission: "yes" as const } : {}),
    equipped: false,
    quiesced: false,
    released: false,
    drivers: {},
    containers: Object.fromEntries(containers),
  };
}

/** Up to running, volumes and address have to be there again; from there on it goes on where it was. */
function stageAfter({ stage, admitted }: PodRecord, sameBoot: boolean): Stage {
  if (stage === "running" && sameBoot) return "running";
  if (["assigned", "admitted", "equipped", "initializing", "running"].includes(stage))
    return admitted ? "admitted" : "assigned";
  return stage;
}

function remembered(
  record: ContainerRecord,
  status: PodStatus | undefined,
  name: string,
  sameBoot: boolean,
  now: Now,
): ContainerSeen {
  const { retryAtWallMs, starting, ...kept } = record;
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const wasRunning = statuses.find((each) => each.name === name)?.state.running !== undefined;
  return {
    ...NEW_CONTAINER,
    ...kept,
    // If it was started after all, its driver lists it, and it is adopted; if not, it is started now, as the same attempt.
    wasStarted: kept.wasStarted && starting !== true,
    retryAtMs: now.monoMs + (retryAtWallMs - now.wallMs),
    ...(sameBoot || !wasRunning ? {} : { interrupted: true }),
  };
}

/** A pod that is new here, or whose record was lost. One that the control plane knows to be over stays over. */
export function seenFromAssignment(pod: Pod): PodSeen {
  const seen = { ...newlySeen(pod), containers: containersFromStatus(pod) };
  return isTerminal(pod) ? { ...seen, stage: "finished", outcome: outcomeOf(pod) } : seen;
}

/** What the control plane was told of the containers before the record was lost. */
function containersFromStatus(pod: Pod): Readonly<Record<string, ContainerSeen>> {
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  const entries = allContainers(pod).map(({ name }): readonly [string, ContainerSeen] => {
    const known = statuses.find((status) => status.name === name);
    if (known?.containerID === undefined) return [name, NEW_CONTAINER];
    const wasRunning = known.state.running !== undefined;
    return [
      name,
      {
        ...NEW_CONTAINER,
        attempt: known.restartCount,
        wasStarted: true,
        postStarted: wasRunning,
        started: wasRunning && known.started === true,
        ready: wasRunning && known.ready,
        ...(known.healthResults === undefined ? {} : { health: known.healthResults }),
      },
    ];
  });
  return Object.fromEntries(entries);
}

/** When the control plane was told that it started, on the wall clock. */
export function startOf(pod: Pod): number | undefined {
  return pod.status.startTime === undefined ? undefined : Date.parse(pod.status.startTime);
}
