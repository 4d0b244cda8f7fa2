import type { ObjectMeta } from "../model/meta.ts";
import { type Container, driverOf, type Pod } from "../model/pod.ts";
import { otherNetwork } from "../model/pod-network-need.ts";
import { compileTemplate, type Demand, withAssignedPorts } from "./demand.ts";
import { identify, type PodIdentity } from "./selection.ts";

/** How many templates are remembered; past it the older half is forgotten. */
const REMEMBERED = 20_000;

/** Demands by template: copies of one workload share one Demand, and everything that is cached by it. */
export class Demands {
  readonly #bySpec = new WeakMap<Pod["spec"], { readonly metadata: ObjectMeta; readonly demand: Demand }>();
  #byTemplate = new Map<string, Demand>();

  of(pod: Pod): Demand {
    const known = this.#bySpec.get(pod.spec);
    if (known && sameIdentity(known.metadata, pod.metadata)) return known.demand;
    const identity = identify(pod);
    const key = templateKey(pod, identity);
    let demand = this.#byTemplate.get(key);
    if (!demand) {
      demand = compileTemplate(pod);
      this.#byTemplate.set(key, demand);
      this.#forget();
    }
    demand = withAssignedPorts(demand, pod);
    this.#bySpec.set(pod.spec, { metadata: pod.metadata, demand });
    return demand;
  }

  #forget(): void {
    if (this.#byTemplate.size <= REMEMBERED) return;
    this.#byTemplate = new Map([...this.#byTemplate].slice(REMEMBERED / 2));
  }
}

/** A status update keeps the spec and, as objects are copied by spreading, the labels and annotations themselves. */
function sameIdentity(a: ObjectMeta, b: ObjectMeta): boolean {
  return (
    a.name === b.name &&
    a.namespace === b.namespace &&
    a.labels === b.labels &&
    a.annotations === b.annotations &&
    a.ownerReferences === b.ownerReferences &&
    (a.deletionTimestamp === undefined) === (b.deletionTimestamp === undefined)
  );
}

function templateKey({ spec }: Pod, { key }: PodIdentity): string {
  const containers = (list: readonly Container[] | undefined) =>
    list?.map((container) => [
      container.resources,
      container.ports?.map((port) => [
        port.dynamicHostPort ? 0 : port.hostPort,
        port.dynamicHostPort,
        port.protocol,
        port.hostIP,
        port.containerPort,
      ]),
      driverOf(container),
      otherNetwork(container) !== undefined,
      container.restartPolicy,
    ]);
  return JSON.stringify([
    key,
    containers(spec.containers),
    containers(spec.initContainers),
    spec.hostNetwork,
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.topologySpreadConstraints,
    spec.constraints,
  ]);
}
