import type { Pod } from "../model/pod.ts";
import { ConfigurationError } from "./configuration-error.ts";
import type { Control } from "./control.ts";
import { allContainers } from "./seen.ts";

/** Contents of secrets and config maps, by `Secret/name` and `ConfigMap/name`. */
export type Values = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface ValueSource {
  readonly kind: "Secret" | "ConfigMap";
  readonly name: string;
  /** Every reference to it may do without it. */
  readonly optional: boolean;
  /** The volume that shows it, if one does. */
  readonly volume?: string;
}

/** What a pod refers to, each source once, by name. */
export function valueSourcesOf(pod: Pod): readonly ValueSource[] {
  const found = new Map<string, ValueSource>();
  const add = (source: ValueSource) => {
    const key = `${source.kind}/${source.name}`;
    const before = found.get(key);
    const volume = before?.volume ?? source.volume;
    const optional = source.optional && (before?.optional ?? true);
    found.set(key, { kind: source.kind, name: source.name, optional, ...(volume === undefined ? {} : { volume }) });
  };
  for (const { configMapRef, secretRef } of allContainers(pod).flatMap(({ envFrom }) => envFrom ?? [])) {
    if (secretRef) add({ kind: "Secret", name: secretRef.name, optional: secretRef.optional === true });
    if (configMapRef) add({ kind: "ConfigMap", name: configMapRef.name, optional: configMapRef.optional === true });
  }
  for (const { valueFrom } of allContainers(pod).flatMap(({ env }) => env ?? [])) {
    const { secretKeyRef, configMapKeyRef } = valueFrom ?? {};
    if (secretKeyRef) add({ kind: "Secret", name: secretKeyRef.name, optional: secretKeyRef.optional === true });
    if (configMapKeyRef)
      add({ kind: "ConfigMap", name: configMapKeyRef.name, optional: configMapKeyRef.optional === true });
  }
  for (const volume of pod.spec.volumes ?? []) {
    const { name, secret, configMap } = volume;
    if (secret) add({ kind: "Secret", name: secret.secretName, optional: secret.optional === true, volume: name });
    if (configMap)
      add({ kind: "ConfigMap", name: configMap.name, optional: configMap.optional === true, volume: name });
  }
  return [...found.values()].toSorted((a, b) => (`${a.kind}/${a.name}` < `${b.kind}/${b.name}` ? -1 : 1));
}

/** Whether something is not there that the pod cannot do without: worth looking again. */
export function lacksValues(pod: Pod, values: Values): boolean {
  return valueSourcesOf(pod).some(({ kind, name, optional }) => !optional && values[`${kind}/${name}`] === undefined);
}

/**
 * Fetches them all. Rejects when the control plane does not answer; throws ConfigurationError when one is missing that a volume shows. Of one
 * that only variables refer to, the container that has them says so (environment.ts): its neighbours may start.
 */
export async function fetchValues(pod: Pod, control: Control): Promise<Values> {
  const values: Record<string, Readonly<Record<string, string>>> = {};
  for (const { kind, name, optional, volume } of valueSourcesOf(pod)) {
    const found = await control.keyValues(kind, pod.metadata.namespace ?? "default", name);
    if (found !== undefined) values[`${kind}/${name}`] = found;
    else if (!optional && volume !== undefined) {
      const what = `${kind === "Secret" ? "secret" : "configmap"} "${name}" not found`;
      throw new ConfigurationError(`MountVolume.SetUp failed for volume "${volume}": ${what}`);
    }
  }
  return values;
}
