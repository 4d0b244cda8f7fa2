import { configMaps } from "../model/config-map.ts";
import type { Container, Pod } from "../model/pod.ts";
import { secrets } from "../model/secret.ts";
import type { Reader } from "../store/transaction.ts";

export type ValuesKind = "Secret" | "ConfigMap";

/** Values as the containers see them; undefined when there is no such object. */
export function keyValues(
  reader: Reader,
  kind: ValuesKind,
  namespace: string,
  name: string,
): Readonly<Record<string, string>> | undefined {
  const key = `${namespace}/${name}`;
  if (kind === "ConfigMap") return reader.get(configMaps, key)?.data;
  const data = reader.get(secrets, key)?.data;
  return (
    data &&
    Object.fromEntries(
      Object.entries(data).map(([name, value]) => [name, Buffer.from(value, "base64").toString("utf8")]),
    )
  );
}

/** Whether the pod's spec refers to this object, in any of the places that its agent reads. */
export function usesValues({ spec }: Pod, kind: ValuesKind, name: string): boolean {
  const isSecret = kind === "Secret";
  if (isSecret && spec.imagePullSecrets?.some((ref) => ref.name === name)) return true;
  const inVolume = spec.volumes?.some(({ secret, configMap }) =>
    isSecret ? secret?.secretName === name : configMap?.name === name,
  );
  if (inVolume) return true;
  return [...spec.containers, ...(spec.initContainers ?? [])].some((container) =>
    inContainer(container, isSecret, name),
  );
}

function inContainer({ env = [], envFrom = [] }: Container, isSecret: boolean, name: string): boolean {
  const inAll = envFrom.some(({ secretRef, configMapRef }) => (isSecret ? secretRef : configMapRef)?.name === name);
  const inOne = env.some(
    ({ valueFrom }) => (isSecret ? valueFrom?.secretKeyRef : valueFrom?.configMapKeyRef)?.name === name,
  );
  return inAll || inOne;
}
