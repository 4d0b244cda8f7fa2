import { childrenOnNetwork } from "../../model/children-on-network.ts";
import type { Pod, PodStatus } from "../../model/pod.ts";
import type { LocalPod } from "./network-state.ts";

type LocalPods = Map<string, LocalPod>;

/** Containers that units of this node have started on the pod network: for policies they are pods with their units' namespace and labels. */
export class LocalChildren {
  readonly #localPods: LocalPods;
  /** Uid of a pod → ids of its containers among the local pods. */
  readonly #known = new Map<string, readonly string[]>();

  constructor(localPods: LocalPods) {
    this.#localPods = localPods;
  }

  /** Ids of those that are otherwise now. */
  hear(pod: Pod, status: PodStatus): readonly string[] {
    const before = this.#known.get(pod.metadata.uid) ?? [];
    // Of nearly all pods: each report of theirs comes by here.
    const children = status.containerStatuses?.some((one) => one.children) ? childrenOnNetwork(status) : [];
    if (before.length === 0 && children.length === 0) return before;
    const now = new Map(children.map((child) => [`${pod.metadata.uid}/${child.id}`, localOf(pod, child)]));
    const gone = before.filter((id) => !now.has(id));
    for (const id of gone) this.#localPods.delete(id);
    const changed = [...now].filter(([id, one]) => JSON.stringify(one) !== JSON.stringify(this.#localPods.get(id)));
    for (const [id, one] of changed) this.#localPods.set(id, one);
    if (now.size > 0) this.#known.set(pod.metadata.uid, [...now.keys()]);
    else this.#known.delete(pod.metadata.uid);
    return [...gone, ...changed.map(([id]) => id)];
  }

  gone(podUid: string): readonly string[] {
    const ids = this.#known.get(podUid) ?? [];
    for (const id of ids) this.#localPods.delete(id);
    this.#known.delete(podUid);
    return ids;
  }
}

type Child = ReturnType<typeof childrenOnNetwork>[number];

function localOf({ metadata }: Pod, { id, name, address, ports = [] }: Child): LocalPod {
  const published = ports.map((port) => ({ ...port, protocol: port.protocol === "udp" ? "udp" : "tcp" }) as const);
  return {
    uid: `${metadata.uid}/${id}`,
    namespace: metadata.namespace ?? "default",
    name: `${metadata.name} (${name})`,
    address,
    labels: metadata.labels ?? {},
    ports: {},
    ...(published.length === 0 ? {} : { published }),
  };
}
