/** Runs for the driver contract. */
import { randomUUID } from "node:crypto";
import type { ContainerRun, PodRun } from "../../../src/drivers/driver.ts";
import type { Container } from "../../../src/model/pod.ts";

export interface RunOptions {
  readonly pod?: Partial<PodRun>;
  readonly container?: string;
  readonly attempt?: number;
  readonly run?: Partial<ContainerRun>;
}

export function makePod(pod: Partial<PodRun> = {}): PodRun {
  return {
    ...{ uid: randomUUID(), namespace: "default", name: "web-x7k2p", hostname: "web-x7k2p", workload: "web" },
    ...{ hostNetwork: false, sharesNamespaces: false, shareProcessNamespace: false, ports: [], hostAliases: [] },
    ...pod,
  };
}

export function makeRun(program: Partial<Container>, options: RunOptions = {}): ContainerRun {
  const pod = makePod(options.pod);
  const container = options.container ?? "main";
  const env = Object.fromEntries((program.env ?? []).map(({ name, value }) => [name, value ?? ""]));
  return {
    ref: { podUid: pod.uid, container, attempt: options.attempt ?? 0 },
    ...{ pod, spec: { name: container, ...program }, env, mounts: [], limits: { cpuRequestMillis: 50 } },
    ...options.run,
  };
}

/** The same container's next run. */
export function nextRun(run: ContainerRun): ContainerRun {
  return { ...run, ref: { ...run.ref, attempt: run.ref.attempt + 1 } };
}
