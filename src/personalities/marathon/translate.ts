/** One instance of an app → the pod that runs it. Pure. A failed task is never restarted in its pod: a new pod takes its place. */
import { createHash } from "node:crypto";
import { formatBytes, formatCpuMillis } from "../../lib/quantity.ts";
import type { Constraint, PodSelection } from "../../model/constraint.ts";
import { type Draft, ownedBy } from "../../model/meta.ts";
import type { Container, ContainerPort, Pod, PodSpec, Resources, Volume, VolumeMount } from "../../model/pod.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import { parseUnreachableRule, WHEN_UNREACHABLE_ANNOTATION } from "../../model/when-unreachable.ts";
import { type AppDefinition, type AppPort, isExclusive, isHostMode, portHalves, portsOf } from "./app-definition.ts";
import { translateConstraint } from "./constraints.ts";
import { discoveryName } from "./ids.ts";
import { type App, NAMESPACE } from "./kinds.ts";
import { portNames, SANDBOX, taskEnvironment } from "./task-environment.ts";
import { timestamp } from "./timestamp.ts";
import { translateHealthChecks } from "./translate-health.ts";

/** Labels and annotations of the pods made here. */
const LABEL = { appHash: "styrmann.dev/app-hash", app: "styrmann.dev/app" } as const;
export const MARATHON_ANNOTATION = {
  /** The app's version at launch. */
  version: "marathon.styrmann.dev/version",
  /** Its versionInfo.lastConfigChangeAt: pods whose value is not the app's are old. */
  configVersion: "marathon.styrmann.dev/config-version",
  stagedAt: "marathon.styrmann.dev/staged-at",
  /** The end of this pod has been counted for backoff and lastTaskFailure. */
  counted: "marathon.styrmann.dev/counted",
  /** Its node has been unreachable for longer than expungeAfterSeconds; of no account once the node is back. */
  expunged: "marathon.styrmann.dev/expunged",
} as const;

/** The executor's grace when the app has none: Mesos' executor_shutdown_grace_period. */
const DEFAULT_GRACE_SECONDS = 5;
const MIB = 1024 ** 2;
/** Mesos' MIN_MEMORY: no task's cgroup is made smaller, because nothing starts in less. */
const SMALLEST_LIMIT_MIB = 32;
/** Nodes that carry a Mesos role have it as this label; `*` is every node. */
const ROLE_LABEL = "styrmann.dev/role";

export interface Instance {
  readonly taskId: string;
  readonly podName: string;
  readonly stagedAtMs: number;
}

export function translateApp(app: AppDefinition, instance: Instance, owner: App): Draft<Pod> {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: instance.podName,
      namespace: NAMESPACE,
      labels: { ...selectableLabels(app.labels), ...ownLabels(app.id) },
      annotations: {
        [ANNOTATION.workload]: app.id,
        [ANNOTATION.dialect]: "marathon",
        [ANNOTATION.instance]: instance.taskId,
        [MARATHON_ANNOTATION.version]: app.version,
        [MARATHON_ANNOTATION.configVersion]: app.versionInfo.lastConfigChangeAt,
        [MARATHON_ANNOTATION.stagedAt]: timestamp(instance.stagedAtMs),
      },
      ownerReferences: [ownedBy(owner)],
    },
    spec: podSpec(app, instance.taskId),
    status: { phase: "Pending" },
  };
}

export function appHash(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 16);
}

/** `/shop/cart` → `shop-cart-x7k2m`: a DNS label, as container and host names need it. */
export function podNameFor(id: string, suffix: string): string {
  const readable = id
    .slice(1)
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 50);
  return `${readable.replaceAll(/^-+|-+$/g, "")}-${suffix}`;
}

const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_KEY = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

function ownLabels(id: string): Readonly<Record<string, string>> {
  const name = discoveryName(id);
  return { [LABEL.appHash]: appHash(id), ...(LABEL_VALUE.test(name) ? { [LABEL.app]: name } : {}) };
}

/** The user's labels that Kubernetes' selectors can read; Marathon's may hold any text. */
function selectableLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(([key, value]) => LABEL_KEY.test(key) && LABEL_VALUE.test(value)),
  );
}

function podSpec(app: AppDefinition, taskId: string): PodSpec {
  const constraints = constraintsOf(app);
  const volumes = volumesOf(app);
  return {
    containers: [containerOf(app, taskId)],
    restartPolicy: "Never",
    terminationGracePeriodSeconds: app.taskKillGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS,
    enableServiceLinks: false,
    ...(isExclusive(app) ? { exclusive: true } : {}),
    ...unreachableRule(app),
    ...(isHostMode(app) ? { hostNetwork: true } : {}),
    ...(volumes.length > 0 ? { volumes } : {}),
    ...(constraints.length > 0 ? { constraints } : {}),
  };
}

/**
 * Nothing where the app asks for what is done anyway: replaced as soon as its node is unreachable. The label, which every
 * dialect has, wins over the strategy that the app may only have by default.
 */
function unreachableRule({ labels, unreachableStrategy: strategy }: AppDefinition): Pick<PodSpec, "whenUnreachable"> {
  const label = labels[WHEN_UNREACHABLE_ANNOTATION];
  const rule = label === undefined ? undefined : parseUnreachableRule(label);
  if (rule) return { whenUnreachable: rule };
  if (strategy === "disabled") return { whenUnreachable: { action: "keep" } };
  const afterMs = strategy.inactiveAfterSeconds * 1000;
  return afterMs === 0 ? {} : { whenUnreachable: { action: "replace", afterMs } };
}

function constraintsOf(app: AppDefinition): readonly Constraint[] {
  const pods: PodSelection = {
    by: "labels",
    selector: { matchLabels: { [LABEL.appHash]: appHash(app.id) } },
    namespaces: [NAMESPACE],
  };
  const roles = app.acceptedResourceRoles ?? ["*"];
  const from = `acceptedResourceRoles ${JSON.stringify(roles)}`;
  return [
    ...(app.constraints ?? []).map((rule) => translateConstraint(rule, pods, app.instances)),
    ...(roles.includes("*") ? [] : [{ type: "in" as const, key: ROLE_LABEL, values: roles, from }]),
  ];
}

function containerOf(app: AppDefinition, taskId: string): Container {
  const docker = app.container?.docker;
  const ports = containerPorts(app);
  const healthChecks = translateHealthChecks(app);
  const mounts = mountsOf(app);
  return {
    name: "app",
    ...(docker ? dockerSettings(app, taskId) : processSettings(app)),
    ...commandOf(app),
    env: taskEnvironment(app, taskId),
    resources: resourcesOf(app),
    ...(ports.length > 0 ? { ports } : {}),
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
    ...(healthChecks.length > 0 ? { healthChecks } : {}),
    ...(app.tty === undefined ? {} : { tty: app.tty }),
  };
}

/** `cmd` is a shell's, by Marathon's own definition; the shell is the task's, inside its sandbox. */
function commandOf({ cmd, args, container }: AppDefinition): Pick<Container, "command" | "args"> {
  if (cmd !== undefined) return { command: ["/bin/sh", "-c", cmd] };
  if (args === undefined) return {};
  return container?.docker ? { args } : { command: args };
}

function dockerSettings(app: AppDefinition, taskId: string): Partial<Container> {
  const docker = app.container?.docker;
  const network = app.networks.find(({ mode }) => mode === "container")?.name;
  return {
    driver: "docker",
    image: docker?.image ?? "",
    imagePullPolicy: docker?.forcePullImage ? "Always" : "IfNotPresent",
    docker: {
      parameters: [...(docker?.parameters ?? []), { key: "label", value: `MESOS_TASK_ID=${taskId}` }],
      ...(network === undefined ? {} : { network }),
    },
    ...(docker?.privileged ? { securityContext: { privileged: true } } : {}),
  };
}

function processSettings({ user, fetch }: AppDefinition): Partial<Container> {
  const settings = {
    ...(user === undefined ? {} : { user }),
    ...(fetch === undefined ? {} : { fetch: fetch.map(({ cache: _, ...rest }) => rest) }),
  };
  return { driver: "process", ...(Object.keys(settings).length > 0 ? { process: settings } : {}) };
}

/** CPU is a share, not a ceiling, unless resourceLimits says so; memory is both. */
function resourcesOf({ cpus, mem, disk, resourceLimits }: AppDefinition): Resources {
  const memoryLimit = resourceLimits?.mem ?? mem;
  const limits = {
    ...(typeof resourceLimits?.cpus === "number" ? { cpu: cores(resourceLimits.cpus) } : {}),
    ...(memoryLimit === "unlimited" || memoryLimit === 0
      ? {}
      : { memory: mebibytes(Math.max(memoryLimit, SMALLEST_LIMIT_MIB)) }),
  };
  return {
    requests: {
      cpu: cores(cpus),
      memory: mebibytes(mem),
      ...(disk > 0 ? { "ephemeral-storage": mebibytes(disk) } : {}),
    },
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  };
}

function cores(cpus: number): string {
  return formatCpuMillis(Math.ceil(Number((cpus * 1000).toFixed(6))));
}

function mebibytes(count: number): string {
  return formatBytes(Math.ceil(count * MIB));
}

/** A container has a sandbox of its own at Mesos' place; a process has the one it runs in. */
function volumesOf(app: AppDefinition): readonly Volume[] {
  const given = (app.container?.volumes ?? []).map(({ hostPath }, i) => ({
    name: `volume-${i}`,
    hostPath: { path: hostPath },
  }));
  return app.container?.docker ? [{ name: "sandbox", emptyDir: {} }, ...given] : given;
}

/** Relative paths are below the sandbox. */
function mountsOf(app: AppDefinition): readonly VolumeMount[] {
  const isDocker = app.container?.docker !== undefined;
  const given = (app.container?.volumes ?? []).map(({ containerPath, mode }, i) => ({
    name: `volume-${i}`,
    mountPath: isDocker && !containerPath.startsWith("/") ? `${SANDBOX}/${containerPath}` : containerPath,
    ...(mode === "RO" ? { readOnly: true } : {}),
  }));
  return isDocker ? [{ name: "sandbox", mountPath: SANDBOX }, ...given] : given;
}

function containerPorts(app: AppDefinition): readonly ContainerPort[] {
  const names = portNames(app);
  return portsOf(app).flatMap((port, i) => {
    const name = names[i] ?? "";
    const common = { ...hostPortOf(app, port), ...(port.servicePort > 0 ? { servicePort: port.servicePort } : {}) };
    // A dynamic port is drawn once, for both halves.
    const shared = common.dynamicHostPort ? { sharesHostPortOf: name } : {};
    return portHalves(port.protocol, name).map((half, at) => ({ ...half, ...common, ...(at > 0 ? shared : {}) }));
  });
}

/** On the host's network the container's port is the host's: 0 until the scheduler has drawn it. */
function hostPortOf(app: AppDefinition, port: AppPort): Omit<ContainerPort, "name" | "protocol"> {
  if (isHostMode(app)) {
    if (app.requirePorts) return { containerPort: port.servicePort, hostPort: port.servicePort };
    return { containerPort: 0, dynamicHostPort: true };
  }
  if (port.hostPort === undefined) return { containerPort: port.containerPort };
  if (port.hostPort === 0) return { containerPort: port.containerPort, dynamicHostPort: true };
  return { containerPort: port.containerPort === 0 ? port.hostPort : port.containerPort, hostPort: port.hostPort };
}
