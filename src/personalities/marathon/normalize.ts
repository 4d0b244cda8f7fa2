/** From what a client sent, in any spelling, to an app with every default filled in. Pure; rules are checked in validate.ts. */
import {
  type AppBody,
  type AppContainer,
  type AppHealthCheck,
  type AppVolume,
  type Check,
  type Fetch,
  type Network,
  type PortDefinition,
  type ReadinessCheck,
  stopsFirst,
} from "./app-definition.ts";
import { invalidObject } from "./errors.ts";
import { absoluteId, parentOf } from "./ids.ts";
import {
  givenMappings,
  networkingConflicts,
  networksOf,
  portDefinition,
  portMapping,
  withMappings,
} from "./normalize-networking.ts";
import type { AppUpdate } from "./schema.ts";
import { unsupportedFields } from "./unsupported.ts";

/**
 * `base` is the app that a partial update changes; without it everything that is not given has its default. Keys that
 * are not given stay, keys that are given replace. Throws "Object is not valid" for contradictions of spelling and for
 * fields that cannot be kept.
 */
export function normalizeApp(id: string, update: AppUpdate, base?: AppBody): AppBody {
  const problems = [...networkingConflicts(update), ...unsupportedFields(update)];
  if (update.uris !== undefined && update.fetch !== undefined) {
    problems.push({ field: "/", message: "cannot specify both uris and fetch fields" });
  }
  if (problems.length > 0) throw invalidObject(problems);
  const networks = networksOf(update) ?? base?.networks ?? [{ mode: "host" }];
  const merged = { ...(base ?? defaultsFor(update)), ...plainFields(update), ...commandOf(update, base) };
  const ports = portsOf(update, networks, base);
  return withoutEmpty({
    ...merged,
    id,
    networks,
    ...ports,
    requirePorts: merged.requirePorts && isHost(networks),
    healthChecks: (update.healthChecks ?? [])
      .map((check) => healthCheck(check, ports))
      .concat(update.healthChecks === undefined ? (base?.healthChecks ?? []) : []),
    ...(update.dependencies === undefined ? {} : { dependencies: dependenciesOf(update.dependencies, id) }),
  });
}

type Ports = { portDefinitions: readonly PortDefinition[] | undefined; container: AppContainer | undefined };

function isHost(networks: readonly Network[]): boolean {
  return networks.every(({ mode }) => mode === "host");
}

function defaultsFor(update: AppUpdate): Omit<AppBody, "id" | "networks" | "healthChecks"> {
  const single = stopsFirst({ labels: update.labels ?? {} });
  return {
    backoffFactor: 1.15,
    backoffSeconds: 1,
    cpus: 1,
    disk: 0,
    executor: "",
    gpus: 0,
    instances: 1,
    killSelection: "YOUNGEST_FIRST",
    labels: {},
    maxLaunchDelaySeconds: 300,
    mem: 128,
    requirePorts: false,
    // Source: Marathon's UnreachableStrategy.default(resident).
    unreachableStrategy: update.residency ? "disabled" : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    upgradeStrategy: single
      ? { minimumHealthCapacity: 0, maximumOverCapacity: 0 }
      : { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
  };
}

/** Keys that mean the same as before. */
function plainFields(update: AppUpdate): Partial<AppBody> {
  const { unreachableStrategy: unreachable } = update;
  return present({
    acceptedResourceRoles: update.acceptedResourceRoles,
    backoffFactor: update.backoffFactor,
    backoffSeconds: update.backoffSeconds,
    check: update.check && checkOf(update.check),
    constraints: update.constraints?.map(([field = "", operator = "", ...value]) =>
      operator === "" ? [field] : [field, operator.toUpperCase(), ...value],
    ),
    cpus: update.cpus,
    disk: update.disk,
    env: update.env as Readonly<Record<string, string>> | undefined,
    executor: update.executor,
    executorResources: update.executorResources && {
      cpus: 0.1,
      mem: 32,
      disk: 10,
      ...present(update.executorResources),
    },
    fetch: update.fetch?.map((one) => fetchOf(one)) ?? update.uris?.map((uri) => fetchOf({ uri })),
    gpus: update.gpus,
    instances: update.instances,
    killSelection: update.killSelection,
    labels: update.labels,
    maxLaunchDelaySeconds: update.maxLaunchDelaySeconds,
    mem: update.mem,
    readinessChecks: update.readinessChecks?.map(readinessCheck),
    requirePorts: update.requirePorts,
    residency: update.residency,
    resourceLimits: update.resourceLimits && present(update.resourceLimits),
    role: update.role,
    taskKillGracePeriodSeconds: update.taskKillGracePeriodSeconds,
    tty: update.tty,
    unreachableStrategy:
      typeof unreachable === "object"
        ? {
            inactiveAfterSeconds: unreachable.inactiveAfterSeconds ?? 0,
            expungeAfterSeconds: unreachable.expungeAfterSeconds ?? 0,
          }
        : unreachable,
    upgradeStrategy: update.upgradeStrategy,
    user: update.user,
  });
}

/** Setting one of cmd and args takes the other away. */
function commandOf(
  update: AppUpdate,
  base?: AppBody,
): { cmd?: string | undefined; args?: readonly string[] | undefined } {
  const hasArgs = update.args !== undefined && update.args.length > 0;
  return {
    cmd: update.cmd ?? (hasArgs ? undefined : base?.cmd),
    args: update.args ?? (update.cmd === undefined ? base?.args : undefined),
  };
}

function portsOf(update: AppUpdate, networks: readonly Network[], base?: AppBody): Ports {
  const host = isHost(networks);
  const isBridge = networks.some(({ mode }) => mode === "container/bridge");
  const given = givenMappings(update)?.map((raw) => portMapping(raw, isBridge));
  const kept = update.container === undefined ? baseContainer(base, host) : containerOf(update.container);
  const container = withMappings(kept, networks, given);
  const definitions =
    update.portDefinitions?.map(portDefinition) ??
    (host ? update.ports?.map((port): PortDefinition => ({ port, protocol: "tcp" })) : undefined);
  if (!host) return { portDefinitions: definitions, container };
  return { portDefinitions: definitions ?? base?.portDefinitions ?? [DEFAULT_PORT], container };
}

const DEFAULT_PORT: PortDefinition = { port: 0, protocol: "tcp", name: "default" };

/** An app that moves to the host's network leaves its mappings behind. */
function baseContainer(base: AppBody | undefined, host: boolean): AppContainer | undefined {
  if (!base?.container || !host) return base?.container;
  const { portMappings: _, ...container } = base.container;
  return container;
}

function containerOf(raw: NonNullable<AppUpdate["container"]>): AppContainer {
  const { docker } = raw;
  return {
    type: raw.type ?? "DOCKER",
    ...(docker && {
      docker: {
        image: docker.image,
        forcePullImage: docker.forcePullImage ?? false,
        privileged: docker.privileged ?? false,
        parameters: docker.parameters ?? [],
      },
    }),
    volumes: (raw.volumes ?? []).map(
      ({ containerPath = "", hostPath = "", mode = "RW" }): AppVolume => ({ containerPath, hostPath, mode }),
    ),
  };
}

function healthCheck(raw: NonNullable<AppUpdate["healthChecks"]>[number], ports: Ports): AppHealthCheck {
  const protocol = raw.protocol ?? "HTTP";
  const count = ports.container?.portMappings?.length ?? ports.portDefinitions?.length ?? 0;
  const implied = raw.port === undefined && raw.portIndex === undefined && count > 0 && protocol !== "COMMAND";
  const isMesos = protocol.startsWith("MESOS_") || protocol === "COMMAND";
  return {
    protocol,
    ...present({ path: raw.path, port: raw.port, portIndex: implied ? 0 : raw.portIndex, command: raw.command }),
    gracePeriodSeconds: raw.gracePeriodSeconds ?? 300,
    intervalSeconds: raw.intervalSeconds ?? 60,
    timeoutSeconds: raw.timeoutSeconds ?? 20,
    maxConsecutiveFailures: raw.maxConsecutiveFailures ?? 3,
    ignoreHttp1xx: raw.ignoreHttp1xx ?? false,
    ...(isMesos ? { delaySeconds: raw.delaySeconds ?? 15 } : {}),
    ipProtocol: raw.ipProtocol ?? "IPv4",
  };
}

function checkOf(raw: NonNullable<AppUpdate["check"]>): Check {
  return {
    ...present({ http: raw.http && present(raw.http), tcp: raw.tcp && present(raw.tcp) }),
    ...(raw.exec ? { exec: { command: present(raw.exec.command) } } : {}),
    intervalSeconds: raw.intervalSeconds ?? 60,
    timeoutSeconds: raw.timeoutSeconds ?? 20,
    delaySeconds: raw.delaySeconds ?? 15,
  };
}

function readinessCheck(raw: NonNullable<AppUpdate["readinessChecks"]>[number]): ReadinessCheck {
  return {
    name: raw.name ?? "readinessCheck",
    protocol: raw.protocol ?? "HTTP",
    path: raw.path ?? "/",
    portName: raw.portName ?? "http-api",
    intervalSeconds: raw.intervalSeconds ?? 30,
    timeoutSeconds: raw.timeoutSeconds ?? 10,
    httpStatusCodesForReady: raw.httpStatusCodesForReady ?? [200],
    preserveLastResponse: raw.preserveLastResponse ?? false,
  };
}

function fetchOf(raw: NonNullable<AppUpdate["fetch"]>[number]): Fetch {
  return {
    uri: raw.uri,
    extract: raw.extract ?? true,
    executable: raw.executable ?? false,
    cache: raw.cache ?? false,
    ...(raw.destPath === undefined ? {} : { destPath: raw.destPath }),
  };
}

/** Relative dependencies are meant within the app's own group. */
function dependenciesOf(given: readonly string[], id: string): readonly string[] {
  return [...new Set(given.map((dependency) => absoluteId(dependency, parentOf(id))))];
}

type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys that are undefined. */
function present<T extends object>(object: T): Partial<Present<T>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Present<T>>;
}

const LEFT_OUT_WHEN_EMPTY: ReadonlySet<string> = new Set([
  "args",
  "constraints",
  "dependencies",
  "env",
  "fetch",
  "readinessChecks",
]);

function withoutEmpty(app: { [K in keyof AppBody]: AppBody[K] | undefined }): AppBody {
  const isEmpty = (value: unknown) => typeof value === "object" && value !== null && Object.keys(value).length === 0;
  const kept = Object.entries(app)
    .filter(([key, value]) => value !== undefined && !(LEFT_OUT_WHEN_EMPTY.has(key) && isEmpty(value)))
    .sort(([a], [b]) => Number(b === "id") - Number(a === "id") || (a < b ? -1 : 1));
  return Object.fromEntries(kept) as unknown as AppBody;
}
