import type { Exposure } from "../model/exposure.ts";
import type { EndpointsEntry } from "../model/network.ts";
import type { Pod } from "../model/pod.ts";
import { EXPOSED_PORT, exposedPod, serviceOfExposure } from "../model/way-in/exposure-routes.ts";
import type { EntrySink } from "./entry-source.ts";

interface Followed {
  readonly exposure: Exposure;
  readonly workload: string;
}

/** Endpoints of workloads that were exposed: one entry per pod, because ports on hosts differ from pod to pod. */
export class ExposedPods {
  readonly #followed = new Map<string, Followed>();
  /** Workload → names of its exposures. */
  readonly #names = new Map<string, Set<string>>();
  /** Uid of a pod → names of exposures that have an entry of it. */
  readonly #told = new Map<string, ReadonlySet<string>>();

  get isEmpty(): boolean {
    return this.#followed.size === 0;
  }

  /** Whether its pods are to be looked at: it is new, or means another workload or port. */
  follow(exposure: Exposure, workload: string, sink: EntrySink): boolean {
    const { name } = exposure.metadata;
    const before = this.#followed.get(name);
    if (before?.workload === workload && before.exposure.spec.port === exposure.spec.port) return false;
    if (before) this.unfollow(name, sink);
    this.#followed.set(name, { exposure, workload });
    this.#names.set(workload, (this.#names.get(workload) ?? new Set()).add(name));
    const port = { name: EXPOSED_PORT, protocol: "tcp", port: exposure.spec.port ?? 80 } as const;
    sink.put({
      ...{ kind: "service", id: serviceOfExposure(exposure), addresses: [], ports: [port] },
      ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
    });
    return true;
  }

  unfollow(name: string, sink: EntrySink): void {
    const followed = this.#followed.get(name);
    if (followed === undefined) return;
    this.#followed.delete(name);
    const names = this.#names.get(followed.workload);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(followed.workload);
    sink.remove("service", serviceOfExposure(followed.exposure));
    for (const [uid, told] of this.#told) if (told.has(name)) this.#tell(uid, without(told, name), sink);
  }

  look(pod: Pod, workloads: readonly string[], sink: EntrySink): void {
    const { uid } = pod.metadata;
    const names = new Set(workloads.flatMap((workload) => [...(this.#names.get(workload) ?? [])]));
    const told = new Set<string>();
    for (const name of [...names].sort()) {
      const followed = this.#followed.get(name);
      const entry = followed && entryOf(followed.exposure, pod);
      if (entry === undefined) continue;
      sink.put(entry);
      told.add(name);
    }
    this.#tell(uid, told, sink);
  }

  remove(uid: string, sink: EntrySink): void {
    this.#tell(uid, new Set(), sink);
  }

  #tell(uid: string, now: ReadonlySet<string>, sink: EntrySink): void {
    for (const name of this.#told.get(uid) ?? []) if (!now.has(name)) sink.remove("endpoints", entryId(name, uid));
    if (now.size > 0) this.#told.set(uid, now);
    else this.#told.delete(uid);
  }
}

function entryOf(exposure: Exposure, pod: Pod): EndpointsEntry | undefined {
  const exposed = exposedPod(pod, exposure.spec.port);
  if (exposed === undefined) return undefined;
  return {
    ...{
      kind: "endpoints",
      id: entryId(exposure.metadata.name, pod.metadata.uid),
      service: serviceOfExposure(exposure),
    },
    ports: [{ name: EXPOSED_PORT, protocol: "tcp", port: exposed.port }],
    endpoints: [exposed.endpoint],
  };
}

function entryId(name: string, uid: string): string {
  return `exposure:${name} ${uid}`;
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const rest = new Set(names);
  rest.delete(name);
  return rest;
}
