import { bytes, cpuMillis, parseQuantity } from "../lib/quantity.ts";
import type { Container, EnvVar, Pod } from "../model/pod.ts";
import { ConfigurationError } from "./configuration-error.ts";
import type { Values } from "./values.ts";

/** What variables may refer to. */
export interface EnvironmentContext {
  readonly hostIP: string;
  readonly podIP: string;
  readonly values: Values;
  /** Of the Services of its namespace: whatever the pod says itself comes before them. */
  readonly serviceVariables?: Readonly<Record<string, string>>;
  /** The node's allocatable, which Kubernetes gives for limits that are not set. */
  readonly allocatable: { readonly cpuMillis: number; readonly memoryBytes: number };
}

/** The container's variables with every reference resolved. Throws ConfigurationError naming what is missing. */
export function environmentOf(pod: Pod, container: Container, context: EnvironmentContext): Record<string, string> {
  const env = { ...context.serviceVariables, ...importedVariables(container, context.values) };
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom
      ? resolve(pod, container, variable, context)
      : expandReferences(variable.value ?? "", env);
    if (value !== undefined) env[variable.name] = value;
  }
  return env;
}

/** What envFrom brings. A key that no variable can be called is left out, as in Kubernetes. */
function importedVariables({ envFrom = [] }: Container, values: Values): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { prefix = "", configMapRef, secretRef } of envFrom) {
    const [kind, ref] = secretRef ? (["Secret", secretRef] as const) : (["ConfigMap", configMapRef] as const);
    const found = ref && values[`${kind}/${ref.name}`];
    if (ref && found === undefined && ref.optional !== true) throw notThere(kind, ref.name);
    for (const [key, value] of Object.entries(found ?? {}))
      if (!/[=\0]/.test(`${prefix}${key}`)) env[`${prefix}${key}`] = value;
  }
  return env;
}

function notThere(kind: "Secret" | "ConfigMap", name: string): ConfigurationError {
  return new ConfigurationError(`${WORD[kind]} "${name}" not found`);
}

const WORD = { Secret: "secret", ConfigMap: "configmap" } as const;

/**
 * Kubernetes' expansion (third_party/forked/golang/expansion): `$(NAME)` is replaced when NAME is known and left as it
 * is otherwise; `$$` is `$`; a single `$` stands for itself.
 */
export function expandReferences(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return "$";
    return Object.hasOwn(env, name) ? (env[name] ?? whole) : whole;
  });
}

function resolve(
  pod: Pod,
  container: Container,
  { name, valueFrom }: EnvVar,
  context: EnvironmentContext,
): string | undefined {
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef, assignedPort } = valueFrom ?? {};
  if (fieldRef) return fieldValue(pod, fieldRef.fieldPath, context);
  if (resourceFieldRef) {
    const subject = findContainer(pod, resourceFieldRef.containerName) ?? container;
    return resourceValue(subject, resourceFieldRef.resource, resourceFieldRef.divisor, context);
  }
  if (secretKeyRef) return keyValue("Secret", secretKeyRef, context.values);
  if (configMapKeyRef) return keyValue("ConfigMap", configMapKeyRef, context.values);
  if (assignedPort !== undefined) return String(hostPortOf(pod, container, assignedPort));
  throw new ConfigurationError(`variable ${name} takes its value from nothing that is known`);
}

function findContainer(pod: Pod, name: string | undefined): Container | undefined {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((container) => container.name === name);
}

function keyValue(
  kind: "Secret" | "ConfigMap",
  ref: { readonly name: string; readonly key: string; readonly optional?: boolean },
  values: Values,
): string | undefined {
  const found = values[`${kind}/${ref.name}`]?.[ref.key];
  if (found !== undefined || ref.optional === true) return found;
  if (values[`${kind}/${ref.name}`] === undefined) throw notThere(kind, ref.name);
  throw new ConfigurationError(`couldn't find key ${ref.key} in ${WORD[kind]} "${ref.name}"`);
}

/** The host port that binding gave to the port of this name, the container's own before its neighbours'. */
export function hostPortOf(pod: Pod, container: Container, portName: string): number {
  const ports = [container, ...pod.spec.containers].flatMap(({ ports }) => ports ?? []);
  const port = ports.find(({ name }) => name === portName);
  if (port?.hostPort === undefined) throw new ConfigurationError(`port "${portName}" has no host port`);
  return port.hostPort;
}

function fieldValue(pod: Pod, path: string, { hostIP, podIP }: EnvironmentContext): string {
  const plain: Readonly<Record<string, string | undefined>> = {
    "metadata.name": pod.metadata.name,
    "metadata.namespace": pod.metadata.namespace ?? "",
    "metadata.uid": pod.metadata.uid,
    "spec.nodeName": pod.spec.nodeName ?? "",
    "spec.serviceAccountName": pod.spec.serviceAccountName ?? "default",
    "status.hostIP": hostIP,
    "status.podIP": podIP,
    "status.podIPs": podIP,
    "status.hostIPs": hostIP,
  };
  const known = plain[path];
  if (known !== undefined) return known;
  const [, field, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (field === undefined || key === undefined) throw new ConfigurationError(`unsupported fieldPath: ${path}`);
  return (field === "labels" ? pod.metadata.labels : pod.metadata.annotations)?.[key] ?? "";
}

/** limits.cpu in whole cores, limits.memory in bytes, each divided by `divisor` and rounded up. */
function resourceValue(
  { resources }: Container,
  resource: string,
  divisor: string | undefined,
  { allocatable }: EnvironmentContext,
): string {
  const [, side, what] = /^(requests|limits)\.(cpu|memory|ephemeral-storage)$/.exec(resource) ?? [];
  if (side === undefined || what === undefined) throw new ConfigurationError(`unsupported resource: ${resource}`);
  const quantity =
    side === "limits" ? resources?.limits?.[what] : (resources?.requests?.[what] ?? resources?.limits?.[what]);
  const by = parseQuantity(divisor ?? "1") || 1;
  const unset = side === "limits" ? allocatable : { cpuMillis: 0, memoryBytes: 0 };
  if (what === "cpu") {
    return String(Math.ceil((quantity === undefined ? unset.cpuMillis : cpuMillis(quantity)) / 1000 / by));
  }
  return String(Math.ceil((quantity === undefined ? unset.memoryBytes : bytes(quantity)) / by));
}
