import { disruptionOf } from "../../model/disruption.ts";
import { isTerminal, type Pod } from "../../model/pod.ts";
import { isExclusive } from "../../model/when-unreachable.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, type DriverCall, SimFailure, type World } from "../contract.ts";
import { PodBook, podWords } from "./pod-book.ts";

/** A stop or a removal of something that runs needs a reason that the store had before, or one on the host itself. */
export class OutageStopsNothing implements Checker {
  readonly rule = "outage-stops-nothing";
  readonly words =
    "Nothing that runs is stopped without a reason: not by an outage of the store, the control plane or the network, and not by a restart or upgrade of any component.";
  judgements = 0;
  readonly #book = new PodBook();
  readonly #running = new Set<string>();
  #world: Pick<World, "server" | "hosts"> | undefined;

  begin(world: World): void {
    this.#world = world;
  }

  started(store: Store): void {
    this.#book.restart(store);
  }

  committed(changes: readonly Change[]): void {
    for (const change of changes) this.#book.take(change);
  }

  driver(call: DriverCall): void {
    const key = `${call.host} ${call.podUid}/${call.container}/${call.attempt}`;
    if (call.what === "running") this.#running.add(key);
    else if (call.what === "stop" || call.what === "remove") {
      if (this.#running.has(key) && this.#isThere(call)) this.#judge(call);
    } else if (call.what !== "start") this.#running.delete(key);
  }

  #isThere({ host, podUid, container, attempt }: DriverCall): boolean {
    const machine = this.#world?.hosts?.get(host)?.machine;
    return machine === undefined || machine.runs.get(`${podUid}/${container}/${attempt}`)?.observed.state === "running";
  }

  #judge(call: DriverCall): void {
    this.judgements++;
    const pod = this.#book.get(call.podUid);
    if (!pod || reasonToStop(pod, call.container) !== undefined) return;
    const up = this.#world?.server?.isUp ?? true;
    throw new SimFailure(
      this.rule,
      `${call.host} stops ${call.container} of ${podWords(pod)} (attempt ${call.attempt}) and nobody asked for it${up ? "" : "; the control plane is down"}`,
    );
  }
}

/** In words, or undefined when there is none. */
function reasonToStop(pod: Pod, containerName: string): string | undefined {
  const { metadata, spec } = pod;
  if (metadata.deletionTimestamp !== undefined) return "its deletion was asked for";
  if (isTerminal(pod)) return "it is over";
  if (isExclusive(pod)) return "exclusive: its host cannot tell whether it still may";
  if (disruptionOf(pod) !== undefined) return "it was given up";
  if (spec.activeDeadlineSeconds !== undefined) return "it has a deadline";
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const container = containers.find(({ name }) => name === containerName);
  if (container === undefined) return "not one of its containers";
  if (container.livenessProbe || container.startupProbe || container.healthChecks?.length) return "its checks failed";
  if (container.lifecycle?.postStart) return "its hook failed";
  if (containers.length > 1 && spec.restartPolicy !== "Always") return "another container has ended the pod";
  if (spec.initContainers?.length) return "a sidecar ends with the others";
  return container.unit ? unitReason(container.unit.start, metadata.annotations) : undefined;
}

/** fleet asks for a stop by a mark on the pod; units stop one another by their own rules. */
function unitReason(start: boolean | undefined, annotations: Pod["metadata"]["annotations"]): string | undefined {
  if (start === false) return "only to be loaded";
  const stops = Object.entries(annotations ?? {}).find(([key]) => key.endsWith("/stops"))?.[1];
  return stops !== undefined && stops !== "0" ? "its unit was stopped and launched again" : undefined;
}
