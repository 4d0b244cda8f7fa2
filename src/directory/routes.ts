/** HTTP from outside: what Ingresses and `styr expose` say. Marathon's labels are told with its apps (discovered.ts). */
import { type Exposure, exposures } from "../model/exposure.ts";
import { type Ingress, ingresses } from "../model/ingress.ts";
import { keyOf } from "../model/meta.ts";
import type { NetworkEntry } from "../model/network.ts";
import { type Pod, pods } from "../model/pod.ts";
import { secrets } from "../model/secret.ts";
import { exposureRoute, workloadKey, workloadKeysOf } from "../model/way-in/exposure-routes.ts";
import { ingressRoutes } from "../model/way-in/ingress-routes.ts";
import type { Change, Reader } from "../store/transaction.ts";
import type { EntrySink, EntrySource } from "./entry-source.ts";
import { ExposedPods } from "./exposed-pods.ts";

/** Whose routes are looked at again when this Secret changes. */
type Dependent = { readonly kind: "Ingress" | "Exposure"; readonly key: string };

export class RoutesSource implements EntrySource {
  readonly name = "routes";
  readonly kinds = [ingresses, exposures, secrets, pods] as unknown as EntrySource["kinds"];
  /** `Ingress default/web` → ids of its routes. */
  readonly #told = new Map<string, readonly string[]>();
  /** Secret → who asked for its version. */
  readonly #users = new Map<string, Map<string, Dependent>>();
  readonly #asked = new Map<string, Set<string>>();
  readonly #exposed = new ExposedPods();
  /** Namespaces in which somebody was exposed anew: their pods are looked at once, for all exposures of a batch. */
  readonly #fresh = new Set<string>();

  begin(reader: Reader, sink: EntrySink): void {
    for (const ingress of reader.list(ingresses)) this.#look({ kind: "Ingress", key: keyOf(ingress) }, reader, sink);
    for (const exposure of reader.list(exposures)) this.#look({ kind: "Exposure", key: keyOf(exposure) }, reader, sink);
    this.#lookAtFresh(reader, sink);
  }

  changed(changes: readonly Change[], reader: Reader, sink: EntrySink): void {
    const dependents = new Map<string, Dependent>();
    const note = (each: Dependent) => dependents.set(`${each.kind} ${each.key}`, each);
    for (const change of changes) {
      if (change.kind.name === "Ingress" || change.kind.name === "Exposure")
        note({ kind: change.kind.name, key: change.key });
      else if (change.kind.name === "Secret")
        for (const each of this.#users.get(change.key)?.values() ?? []) note(each);
    }
    for (const each of dependents.values()) this.#look(each, reader, sink);
    this.#lookAtFresh(reader, sink);
    for (const change of changes) if (change.kind.name === "Pod") this.#lookAtPod(change, sink);
  }

  #lookAtFresh(reader: Reader, sink: EntrySink): void {
    for (const namespace of this.#fresh)
      for (const pod of reader.list(pods, namespace)) this.#exposed.look(pod, workloadKeysOf(pod), sink);
    this.#fresh.clear();
  }

  #lookAtPod({ type, object }: Change, sink: EntrySink): void {
    if (this.#exposed.isEmpty) return;
    const pod = object as Pod;
    if (type === "removed") this.#exposed.remove(pod.metadata.uid, sink);
    else this.#exposed.look(pod, workloadKeysOf(pod), sink);
  }

  #look(who: Dependent, reader: Reader, sink: EntrySink): void {
    const name = `${who.kind} ${who.key}`;
    const versionOf = this.#versions(who, name, reader);
    const entries = who.kind === "Ingress" ? ofIngress(reader.get(ingresses, who.key), versionOf) : [];
    if (who.kind === "Exposure")
      entries.push(...this.#ofExposure(who.key, reader.get(exposures, who.key), versionOf, sink));
    const ids = entries.map(({ id }) => id);
    for (const entry of entries) sink.put(entry, "ways-in");
    for (const id of this.#told.get(name) ?? []) if (!ids.includes(id)) sink.remove("route", id);
    if (ids.length > 0) this.#told.set(name, ids);
    else this.#told.delete(name);
  }

  #ofExposure(
    key: string,
    exposure: Exposure | undefined,
    versionOf: (secret: string) => string | undefined,
    sink: EntrySink,
  ): readonly NetworkEntry[] {
    if (exposure === undefined) {
      this.#exposed.unfollow(key, sink);
      return [];
    }
    // Only who is exposed anew makes us look for pods: at those of its namespace, which of other dialects is named as they are.
    const { dialect, namespace = dialect } = exposure.spec.workload;
    if (this.#exposed.follow(exposure, workloadKey(exposure.spec.workload), sink)) this.#fresh.add(namespace);
    return [exposureRoute(exposure, versionOf)];
  }

  /** Remembers which Secrets were asked for, so that their changes come back to who asked. */
  #versions(who: Dependent, name: string, reader: Reader): (secret: string) => string | undefined {
    for (const secret of this.#asked.get(name) ?? []) {
      this.#users.get(secret)?.delete(name);
      if (this.#users.get(secret)?.size === 0) this.#users.delete(secret);
    }
    const asked = new Set<string>();
    this.#asked.delete(name);
    return (secret) => {
      this.#asked.set(name, asked.add(secret));
      const users = this.#users.get(secret) ?? new Map<string, Dependent>();
      this.#users.set(secret, users.set(name, who));
      return reader.get(secrets, secret)?.metadata.resourceVersion;
    };
  }
}

function ofIngress(ingress: Ingress | undefined, versionOf: (secret: string) => string | undefined): NetworkEntry[] {
  return ingress ? [...ingressRoutes(ingress, versionOf).routes] : [];
}
