import { keyOf } from "../model/meta.ts";
import type { PodRecord } from "./local-record.ts";
import type { PodHandle } from "./pod-handle.ts";
import { allContainers, containerSeen } from "./seen.ts";

/** What runs since before this agent is in the network already: only the gate has to learn of it anew. */
export function returnToGate(worker: PodHandle, record: PodRecord | undefined): void {
  const { host, pod, seen } = worker;
  const mayRun = allContainers(pod).some(({ name }) => containerSeen(seen, name).wasStarted);
  if (record?.bootId !== host.bootId || !mayRun || seen.stage === "finished") return;
  enterAgain(worker);
}

/** It is in the network, and others see it there with other eyes. */
export function enterAgain(worker: PodHandle): void {
  const { gate, log } = worker.host;
  if (gate === undefined) return;
  if (worker.seen.gate === undefined) worker.patchPod({ gate: "in" });
  gate.coming(worker.pod, worker.equipment.address).catch((error: Error) => {
    log.warn("the network does not know yet of a pod that runs", { pod: keyOf(worker.pod), why: error.message });
  });
}
