/** An app with every default filled in, in the spelling of Marathon 1.5 and later; what is empty is left out, as it is in answers. */
import { EXCLUSIVE_ANNOTATION } from "../../model/when-unreachable.ts";

export interface AppDefinition extends AppBody {
  readonly version: string;
  readonly versionInfo: VersionInfo;
}

interface VersionInfo {
  readonly lastScalingAt: string;
  readonly lastConfigChangeAt: string;
}

/** All that its user decides: an app before it has a version. */
export interface AppBody {
  readonly id: string;
  readonly acceptedResourceRoles?: readonly string[];
  readonly args?: readonly string[];
  readonly backoffFactor: number;
  readonly backoffSeconds: number;
  readonly check?: Check;
  readonly cmd?: string;
  readonly constraints?: readonly (readonly string[])[];
  readonly container?: AppContainer;
  readonly cpus: number;
  readonly dependencies?: readonly string[];
  readonly disk: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly executor: string;
  readonly executorResources?: { readonly cpus: number; readonly mem: number; readonly disk: number };
  readonly fetch?: readonly Fetch[];
  readonly gpus: number;
  /** Present when empty too: load balancer generators read the key (specification 4.8). */
  readonly healthChecks: readonly AppHealthCheck[];
  readonly instances: number;
  readonly killSelection: KillSelection;
  readonly labels: Readonly<Record<string, string>>;
  readonly maxLaunchDelaySeconds: number;
  /** MB, which Mesos counts as MiB. */
  readonly mem: number;
  readonly networks: readonly Network[];
  /** Host networking only. */
  readonly portDefinitions?: readonly PortDefinition[];
  readonly readinessChecks?: readonly ReadinessCheck[];
  readonly requirePorts: boolean;
  readonly residency?: object;
  readonly resourceLimits?: { readonly cpus?: number | "unlimited"; readonly mem?: number | "unlimited" };
  readonly role?: string;
  readonly taskKillGracePeriodSeconds?: number;
  readonly tty?: boolean;
  readonly unreachableStrategy:
    | "disabled"
    | { readonly inactiveAfterSeconds: number; readonly expungeAfterSeconds: number };
  readonly upgradeStrategy: UpgradeStrategy;
  readonly user?: string;
}

export type KillSelection = "YOUNGEST_FIRST" | "OLDEST_FIRST";

interface UpgradeStrategy {
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
}

export interface Network {
  readonly mode: "container" | "container/bridge" | "host";
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export type PortProtocol = "tcp" | "udp" | "udp,tcp";

export interface PortDefinition {
  /** The service port; with requirePorts the host port too. */
  readonly port: number;
  readonly protocol: PortProtocol;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PortMapping {
  /** 0 = the same as the host port. */
  readonly containerPort: number;
  /** 0 = any free one; absent = none. */
  readonly hostPort?: number;
  readonly servicePort: number;
  readonly protocol: PortProtocol;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly networkNames?: readonly string[];
}

export interface AppContainer {
  readonly type: "DOCKER" | "MESOS";
  readonly docker?: {
    readonly image: string;
    readonly forcePullImage: boolean;
    readonly privileged: boolean;
    readonly parameters: readonly { readonly key: string; readonly value: string }[];
  };
  readonly volumes: readonly AppVolume[];
  readonly portMappings?: readonly PortMapping[];
}

export interface AppVolume {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly mode: "RO" | "RW";
}

export interface Fetch {
  readonly uri: string;
  readonly extract: boolean;
  readonly executable: boolean;
  readonly cache: boolean;
  readonly destPath?: string;
}

type HealthProtocol = "HTTP" | "HTTPS" | "TCP" | "COMMAND" | "MESOS_HTTP" | "MESOS_HTTPS" | "MESOS_TCP";

export interface AppHealthCheck {
  readonly protocol: HealthProtocol;
  readonly path?: string;
  readonly port?: number;
  readonly portIndex?: number;
  readonly command?: { readonly value: string };
  readonly gracePeriodSeconds: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly maxConsecutiveFailures: number;
  readonly ignoreHttp1xx: boolean;
  readonly delaySeconds?: number;
  readonly ipProtocol: "IPv4" | "IPv6";
}

export interface Check {
  readonly http?: {
    readonly port?: number;
    readonly portIndex?: number;
    readonly path?: string;
    readonly scheme?: string;
  };
  readonly tcp?: { readonly port?: number; readonly portIndex?: number };
  readonly exec?: { readonly command: { readonly shell?: string; readonly argv?: readonly string[] } };
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly delaySeconds: number;
}

export interface ReadinessCheck {
  readonly name: string;
  readonly protocol: "HTTP" | "HTTPS";
  readonly path: string;
  readonly portName: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly httpStatusCodesForReady: readonly number[];
  readonly preserveLastResponse: boolean;
}

export function isHostMode(app: Pick<AppBody, "networks">): boolean {
  return app.networks.every(({ mode }) => mode === "host");
}

/** `MARATHON_SINGLE_INSTANCE_APP=true`: never two at once. */
export function isSingleInstance(app: Pick<AppBody, "labels">): boolean {
  return app.labels.MARATHON_SINGLE_INSTANCE_APP === "true";
}

/** At most one instance at any instant, anywhere: a label of ours, in Marathon's way of MARATHON_SINGLE_INSTANCE_APP. */
export function isExclusive(app: Pick<AppBody, "labels">): boolean {
  return app.labels[EXCLUSIVE_ANNOTATION] === "true";
}

/** Whether an instance has to have stopped before another may start. */
export function stopsFirst(app: Pick<AppBody, "labels">): boolean {
  return isSingleInstance(app) || isExclusive(app);
}

/** The app's ports, in the order that portIndex counts. */
export function portsOf(app: Pick<AppBody, "networks" | "portDefinitions" | "container">): readonly AppPort[] {
  if (isHostMode(app)) {
    return (app.portDefinitions ?? []).map(({ port, ...rest }) => ({
      ...rest,
      servicePort: port,
      containerPort: port,
    }));
  }
  return app.container?.portMappings ?? [];
}

/** Of a port's place among its app's: what versions of an app with other names for it have in common, as it is for marathon-lb. */
export function portId(portIndex: number): string {
  return String(portIndex);
}

/** A port for both protocols is two; the name stays with TCP. */
export function portHalves(protocol: PortProtocol, name: string): readonly PortHalf[] {
  if (protocol !== "udp,tcp") return [{ name, protocol: protocol === "udp" ? "UDP" : "TCP" }];
  return [
    { name, protocol: "TCP" },
    { name: `${name}-udp`, protocol: "UDP" },
  ];
}

interface PortHalf {
  readonly name: string;
  readonly protocol: "TCP" | "UDP";
}

export interface AppPort {
  readonly servicePort: number;
  readonly containerPort: number;
  readonly hostPort?: number;
  readonly protocol: PortProtocol;
  readonly name?: string;
}
