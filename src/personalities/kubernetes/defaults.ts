/** The defaults that users see, written into the object when it is stored. Source: Kubernetes' core/v1 SetDefaults_*. Pure; nothing here looks at the store. */
import type { Container, ContainerPort, PodSpec, Probe, Volume } from "../../model/pod.ts";
import type { ReplicationController } from "../../model/replication-controller.ts";

/** An extension of ours may stand where Kubernetes would default: then its absence says something. */
export function defaultPodSpec(spec: PodSpec): PodSpec {
  const hostNetwork = spec.hostNetwork === true;
  const containers = (list: readonly Container[]) => list.map((container) => defaultContainer(container, hostNetwork));
  return {
    ...spec,
    restartPolicy: spec.restartPolicy || "Always",
    dnsPolicy: spec.dnsPolicy || "ClusterFirst",
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    schedulerName: spec.schedulerName || "default-scheduler",
    enableServiceLinks: spec.enableServiceLinks ?? true,
    securityContext: spec.securityContext ?? {},
    containers: containers(spec.containers ?? []),
    ...(spec.initContainers === undefined ? {} : { initContainers: containers(spec.initContainers) }),
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(defaultVolume) }),
  };
}

function defaultContainer(container: Container, hostNetwork: boolean): Container {
  const probes = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
  return {
    ...container,
    ...(container.image ? { imagePullPolicy: container.imagePullPolicy || defaultPullPolicy(container.image) } : {}),
    ...(container.ports === undefined ? {} : { ports: container.ports.map((port) => defaultPort(port, hostNetwork)) }),
    resources: defaultResources(container.resources),
    terminationMessagePath: container.terminationMessagePath || "/dev/termination-log",
    ...{ terminationMessagePolicy: "File", ...pick(container, "terminationMessagePolicy") },
    ...Object.fromEntries(
      probes.flatMap((name) => {
        const probe = container[name];
        return probe === undefined ? [] : [[name, defaultProbe(probe)]];
      }),
    ),
  };
}

function pick(from: object, key: string): Readonly<Record<string, unknown>> {
  const value = (from as Readonly<Record<string, unknown>>)[key];
  return value ? { [key]: value } : {};
}

/** `:latest` and no tag mean "whatever is newest": ask each time. A digest never changes. */
function defaultPullPolicy(image: string): "Always" | "IfNotPresent" {
  if (image.includes("@")) return "IfNotPresent";
  const last = image.slice(image.lastIndexOf("/") + 1);
  const tag = last.includes(":") ? last.slice(last.indexOf(":") + 1) : "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

function defaultPort(port: ContainerPort, hostNetwork: boolean): ContainerPort {
  return {
    ...port,
    protocol: port.protocol || "TCP",
    ...(hostNetwork && !port.hostPort && !port.dynamicHostPort ? { hostPort: port.containerPort } : {}),
  };
}

/** Requests are the limits where only those are set. */
function defaultResources(resources: Container["resources"] = {}): NonNullable<Container["resources"]> {
  return resources.limits === undefined
    ? resources
    : { ...resources, requests: { ...resources.limits, ...resources.requests } };
}

function defaultProbe(probe: Probe): Probe {
  return {
    ...probe,
    ...(probe.httpGet === undefined
      ? {}
      : { httpGet: { ...probe.httpGet, path: probe.httpGet.path || "/", scheme: probe.httpGet.scheme || "HTTP" } }),
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
}

const VOLUME_FILE_MODE = 0o644;

function defaultVolume(volume: Volume): Volume {
  const { name, hostPath, secret, configMap, ...others } = volume;
  // Kubernetes reads a volume without a source as an emptyDir.
  if (!hostPath && !secret && !configMap && Object.keys(others).length === 0) return { name, emptyDir: {} };
  return {
    ...volume,
    ...(hostPath === undefined ? {} : { hostPath: { ...hostPath, type: hostPath.type ?? "" } }),
    ...(secret === undefined ? {} : { secret: { ...{ defaultMode: VOLUME_FILE_MODE }, ...secret } }),
    ...(configMap === undefined ? {} : { configMap: { ...{ defaultMode: VOLUME_FILE_MODE }, ...configMap } }),
  };
}

/** Selector and labels come from the template where the user leaves them out. */
export function defaultReplicationController(rc: ReplicationController): ReplicationController {
  const { spec } = rc;
  if (!spec?.template) return { ...rc, spec: { ...spec, replicas: spec?.replicas ?? 1 } };
  const labels = spec.template.metadata?.labels ?? {};
  const selector = Object.keys(spec.selector ?? {}).length > 0 ? spec.selector : labels;
  const own = Object.keys(rc.metadata.labels ?? {}).length > 0 ? rc.metadata.labels : labels;
  return {
    ...rc,
    metadata: { ...rc.metadata, ...(own && Object.keys(own).length > 0 ? { labels: own } : {}) },
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      selector,
      template: { ...spec.template, ...(spec.template.spec ? { spec: defaultPodSpec(spec.template.spec) } : {}) },
    },
  };
}
