import type { Constraint, LabelSelector } from "./constraint.ts";
import { dialectOf, KUBERNETES } from "./dialect.ts";
import { isExclusive } from "./exclusive.ts";
import { labelPair } from "./label-pair.ts";
import { controllerOf, defineKind, type ObjectMeta } from "./meta.ts";

/** Phases never go back; Succeeded and Failed are final. */
export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
export type DriverName = "docker" | "process" | "unit" | "fake";
export type ConditionStatus = "True" | "False" | "Unknown";

/** Kubernetes' Pod, with the extensions that are marked so. Fields of Kubernetes that are not listed are stored as given and not acted on. */
export interface Pod {
  readonly apiVersion: string;
  readonly kind: "Pod";
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
  readonly status: PodStatus;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly restartPolicy?: "Always" | "OnFailure" | "Never";
  /** The node this pod is bound to. Set once. */
  readonly nodeName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: Affinity;
  readonly tolerations?: readonly Toleration[];
  readonly topologySpreadConstraints?: readonly TopologySpreadConstraint[];
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly hostname?: string;
  readonly subdomain?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly activeDeadlineSeconds?: number;
  readonly priority?: number;
  readonly priorityClassName?: string;
  readonly schedulerName?: string;
  readonly serviceAccountName?: string;
  readonly dnsPolicy?: string;
  readonly dnsConfig?: {
    readonly nameservers?: readonly string[];
    readonly searches?: readonly string[];
    readonly options?: readonly { readonly name: string; readonly value?: string }[];
  };
  /** The pod is ready only when these conditions, which others write into its status, are True. */
  readonly readinessGates?: readonly { readonly conditionType: string }[];
  readonly enableServiceLinks?: boolean;
  readonly shareProcessNamespace?: boolean;
  readonly securityContext?: SecurityContext;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[];
  /** Extension: placement rules of dialects that Kubernetes has no field for. */
  readonly constraints?: readonly Constraint[];
  /** Extension: how restarts inside the pod back off. Default 10 s, factor 2, cap 300 s, forgotten after 10 min of running. */
  readonly restartBackoff?: { readonly initialMs: number; readonly factor: number; readonly maxMs: number };
  /** Extension: at most one copy at any instant, anywhere: its agent stops it before it may be started elsewhere (isExclusive). */
  readonly exclusive?: boolean;
  /** Extension: what becomes of it when its node is unreachable (unreachableRuleOf). */
  readonly whenUnreachable?: { readonly action: "replace"; readonly afterMs: number } | { readonly action: "keep" };
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvVar[];
  /** Whole config maps and secrets as variables; `env` wins over them, later ones over earlier ones. */
  readonly envFrom?: readonly EnvFromSource[];
  readonly ports?: readonly ContainerPort[];
  readonly resources?: Resources;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: {
    readonly postStart?: ProbeAction;
    readonly preStop?: ProbeAction;
    /** In place of the image's. */
    readonly stopSignal?: string;
  };
  /** On an init container, "Always" makes it a sidecar. */
  readonly restartPolicy?: "Always";
  readonly securityContext?: SecurityContext;
  readonly terminationMessagePath?: string;
  readonly terminationMessagePolicy?: "File" | "FallbackToLogsOnError";
  readonly stdin?: boolean;
  readonly tty?: boolean;
  /** Extension: who runs it. Default: docker when there is an image, else process. */
  readonly driver?: DriverName;
  /** Extension: settings only Docker has. */
  readonly docker?: DockerSettings;
  /** Extension: settings of the process driver. */
  readonly process?: ProcessSettings;
  /** Extension: the unit to execute. */
  readonly unit?: UnitSettings;
  /** Extension: any number of checks beside the three probes, with Marathon's semantics. */
  readonly healthChecks?: readonly HealthCheck[];
}

export interface DockerSettings {
  /** `--key=value` pairs as Marathon's docker.parameters gives them. */
  readonly parameters?: readonly { readonly key: string; readonly value: string }[];
  /** A Docker network of the user's, instead of the pod network (`styrmann`: that one). */
  readonly network?: string;
}

export interface ProcessSettings {
  readonly user?: string;
  /** Files to fetch into the sandbox before the start. */
  readonly fetch?: readonly {
    readonly uri: string;
    readonly extract?: boolean;
    readonly executable?: boolean;
    readonly destPath?: string;
  }[];
}

/** A systemd unit, verbatim: its name, and every option in the order of the file. */
export interface UnitSettings {
  readonly name: string;
  readonly options: readonly UnitOption[];
  /** false = load only (fleet's `loaded`); default true. */
  readonly start?: boolean;
}

export interface UnitOption {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

export interface EnvVar {
  readonly name: string;
  /** `$(OTHER)` refers to variables above it; `$$` is a dollar sign. */
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly resourceFieldRef?: {
      readonly containerName?: string;
      readonly resource: string;
      readonly divisor?: string;
    };
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
    readonly configMapKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
    /** Extension: the host port that the scheduler gave to the port of this name. */
    readonly assignedPort?: string;
  };
}

export interface EnvFromSource {
  /** Put before every name. */
  readonly prefix?: string;
  readonly configMapRef?: { readonly name: string; readonly optional?: boolean };
  readonly secretRef?: { readonly name: string; readonly optional?: boolean };
}

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly hostPort?: number;
  readonly hostIP?: string;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  /** Extension: the scheduler picks the host port at binding and writes it to `hostPort`. */
  readonly dynamicHostPort?: boolean;
  /** Extension, with `dynamicHostPort`: the number is the one that is picked for the earlier port of this name. */
  readonly sharesHostPortOf?: string;
  /** Extension: Marathon's service port, for the load balancer. */
  readonly servicePort?: number;
}

export interface Resources {
  /** Quantities: cpu, memory, ephemeral-storage. */
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
}

export interface SecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  /** Refuse to start as root. */
  readonly runAsNonRoot?: boolean;
  /** Of a pod only. */
  readonly fsGroup?: number;
  /** Of a pod only. */
  readonly supplementalGroups?: readonly number[];
  /** Of a pod only. Kernel settings of the pod's own namespaces. */
  readonly sysctls?: readonly { readonly name: string; readonly value: string }[];
  readonly privileged?: boolean;
  /** false: the kernel's no_new_privs. */
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

export interface Volume {
  readonly name: string;
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string };
  readonly hostPath?: { readonly path: string; readonly type?: string };
  readonly secret?: KeyFiles & { readonly secretName: string };
  readonly configMap?: KeyFiles & { readonly name: string };
}

/** How a volume shows the keys of a secret or config map. */
export interface KeyFiles {
  /** Only these keys, at these paths below the mount. Default: every key as a file of its name. */
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[];
  /** Default 0644. */
  readonly defaultMode?: number;
  readonly optional?: boolean;
}

export interface ProbeAction {
  readonly exec?: { readonly command?: readonly string[] };
  readonly httpGet?: {
    readonly path?: string;
    readonly port: number | string;
    readonly host?: string;
    readonly scheme?: "HTTP" | "HTTPS";
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
  };
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string };
  /** Of hooks only. */
  readonly sleep?: { readonly seconds?: number };
}

export interface Probe extends ProbeAction {
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
}

/**
 * Extension. Failures do not count before the first success until `graceSeconds` after the start; the failure after
 * `killAfterFailures` in a row stops the container (0 = never). The pod is ready once every check has succeeded.
 */
export interface HealthCheck extends ProbeAction {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly delaySeconds?: number;
  readonly graceSeconds: number;
  readonly killAfterFailures: number;
  /** Statuses 100-199 leave the health as it was. */
  readonly ignoreHttp1xx?: boolean;
  /** Check the host port instead of the container's own (Marathon's portIndex): the name of the port. */
  readonly assignedPort?: string;
}

export interface HealthResult {
  readonly alive: boolean;
  readonly consecutiveFailures: number;
  readonly firstSuccess?: string;
  readonly lastSuccess?: string;
  readonly lastFailure?: string;
  readonly lastFailureCause?: string;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: "Exists" | "Equal";
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
}

export interface TopologySpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway";
  readonly labelSelector?: LabelSelector;
  readonly minDomains?: number;
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: LabelSelector["matchExpressions"];
  readonly matchFields?: LabelSelector["matchExpressions"];
}

export interface PodAffinityTerm {
  readonly labelSelector?: LabelSelector;
  readonly topologyKey: string;
  readonly namespaces?: readonly string[];
}

export interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms: readonly NodeSelectorTerm[];
    };
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
      readonly weight: number;
      readonly preference: NodeSelectorTerm;
    }[];
  };
  readonly podAffinity?: PodAffinityRules;
  readonly podAntiAffinity?: PodAffinityRules;
}

export interface PodAffinityRules {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
    readonly weight: number;
    readonly podAffinityTerm: PodAffinityTerm;
  }[];
}

export interface PodStatus {
  readonly phase: PodPhase;
  readonly conditions?: readonly Condition[];
  /** A word and a sentence for people: why it failed. Why it waits is in its conditions and container states. */
  readonly reason?: string;
  readonly message?: string;
  readonly hostIP?: string;
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  /** On a Docker network of the user's. Who is on that network knows a way there; the cluster's does not lead there. */
  readonly networkAddress?: string;
  readonly startTime?: string;
  readonly qosClass?: "Guaranteed" | "Burstable" | "BestEffort";
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
}

/** Conditions that the pod's agent owns; all others (PodScheduled, and what controllers add) belong to whoever wrote them. */
export const AGENT_CONDITIONS: readonly string[] = [
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
];

export interface Condition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
  readonly ready: boolean;
  readonly started?: boolean;
  readonly restartCount: number;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
  /** Extension: what the checks of `healthChecks` last said, in their order. */
  readonly healthResults?: readonly HealthResult[];
  /** Extension: systemd's words for a unit. */
  readonly unit?: UnitState;
  /** Extension: containers that this unit or process started itself (`docker run`), as the engine names them. */
  readonly children?: readonly ChildContainer[];
}

export interface UnitState {
  readonly load: "loaded" | "not-found" | "error" | "bad-setting" | "masked";
  readonly active: "active" | "reloading" | "inactive" | "failed" | "activating" | "deactivating";
  readonly sub: string;
  /** systemd's result: success, exit-code, signal, timeout, start-limit-hit, … */
  readonly result?: string;
  /** What its start waits for, or what failed last, in words; absent once it is up. */
  readonly message?: string;
}

export interface ChildContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly state: string;
  readonly ports?: readonly { readonly containerPort: number; readonly hostPort: number; readonly protocol: string }[];
  /** On the pod network; absent where other hosts reach it at its host only. */
  readonly address?: string;
}

export interface ContainerState {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly signal?: number;
    readonly reason: string;
    readonly message?: string;
    readonly startedAt?: string;
    readonly finishedAt?: string;
    readonly containerID?: string;
  };
}

/** Index `node`: pods bound to a node; "" holds those not bound. `label`: by each of their labels (labelPair); `servicePort`: those of other dialects that are reached at a port of every node (`TCP/10001`). By namespace, `orphan`: pods that no controller owns; `exclusive`: those of which there may be one only. */
export const pods = defineKind<Pod>("Pod", "v1", "namespaced", {
  node: (pod) => [pod.spec.nodeName ?? ""],
  label: ({ metadata: { namespace, labels = {} } }) =>
    Object.keys(labels).map((key) => labelPair(namespace, key, labels[key] ?? "")),
  servicePort: (pod) =>
    (dialectOf(pod) === KUBERNETES ? [] : (pod.spec.containers ?? [])).flatMap(({ ports = [] }) =>
      ports.flatMap(({ servicePort, protocol = "TCP" }) => (servicePort ? [`${protocol}/${servicePort}`] : [])),
    ),
  orphan: (pod) => (controllerOf(pod) === undefined ? [pod.metadata.namespace ?? ""] : []),
  exclusive: (pod) => (isExclusive(pod) ? [pod.metadata.namespace ?? ""] : []),
});

/** Succeeded and Failed pods run nothing and hold nothing. */
export function isTerminal(pod: Pod): boolean {
  return pod.status.phase === "Succeeded" || pod.status.phase === "Failed";
}

/** Neither finished nor asked to go. */
export function isLive(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** Who runs this container when nothing says so. */
export function driverOf(container: Container): DriverName {
  return container.driver ?? (container.image === undefined ? "process" : "docker");
}
