/** Old spellings of networks and ports → those of Marathon 1.5: ports, ipAddress, docker.network, docker.portMappings. */
import type { AppContainer, Network, PortDefinition, PortMapping, PortProtocol } from "./app-definition.ts";
import type { Violation } from "./errors.ts";
import type { AppUpdate } from "./schema.ts";

type RawContainer = NonNullable<AppUpdate["container"]>;
type RawMapping = NonNullable<RawContainer["portMappings"]>[number];
type RawDefinition = NonNullable<AppUpdate["portDefinitions"]>[number];

/** What contradicts itself before anything is converted. */
export function networkingConflicts(update: AppUpdate): readonly Violation[] {
  const legacyNetwork = update.container?.docker?.network;
  const found: Violation[] = [];
  const refuse = (field: string, message: string) => found.push({ field, message });
  if (legacyNetwork !== undefined && update.networks !== undefined) {
    refuse("/", "must not specify both container.docker.network and networks");
  }
  if (update.networks !== undefined && update.ipAddress) refuse("/", "must not specify both networks and ipAddress");
  if (update.ipAddress && (update.ports?.length ?? 0) > 0) refuse("/", "cannot specify both an IP address and port");
  if (update.ports !== undefined && update.portDefinitions !== undefined) {
    refuse("/", "cannot specify both ports and port definitions");
  }
  const fixed = (update.ports ?? []).filter((port) => port !== 0);
  if (new Set(fixed).size < fixed.length) refuse("/ports", "ports must be unique");
  if (update.ipAddress && (legacyNetwork === "BRIDGE" || legacyNetwork === "HOST")) {
    refuse("/ipAddress", `ipAddress needs a container network, and container.docker.network is ${legacyNetwork}`);
  }
  if (legacyNetwork === "NONE") refuse("/container/docker/network", "network NONE is not supported");
  return found;
}

/** The networks an update asks for, in any spelling; undefined when it does not speak of them. */
export function networksOf(update: AppUpdate): readonly Network[] | undefined {
  const { networks, ipAddress } = update;
  if (networks !== undefined)
    return networks.map(({ mode, name, labels }) => network(mode ?? "container", name, labels));
  if (ipAddress) return [network("container", ipAddress.networkName, ipAddress.labels)];
  switch (update.container?.docker?.network) {
    case "BRIDGE":
      return [{ mode: "container/bridge" }];
    case "USER":
      return [{ mode: "container" }];
    case "HOST":
      return [{ mode: "host" }];
    default:
      return undefined;
  }
}

function network(mode: Network["mode"], name?: string, labels?: Readonly<Record<string, string>>): Network {
  const kept = labels && Object.keys(labels).length > 0 ? { labels } : {};
  return { mode, ...(name === undefined ? {} : { name }), ...kept };
}

/** Port mappings in any spelling; undefined when there are none given. */
export function givenMappings(update: AppUpdate): readonly RawMapping[] | undefined {
  const { container, ipAddress } = update;
  const mappings = container?.portMappings ?? container?.docker?.portMappings;
  if (mappings !== undefined) return mappings;
  return ipAddress?.discovery?.ports?.map(({ number, name, protocol }) => ({ containerPort: number, name, protocol }));
}

/** In bridge mode a mapping without a host port gets a dynamic one; on a named network it gets none. */
export function portMapping(raw: RawMapping, isBridge: boolean): PortMapping {
  const hostPort = raw.hostPort ?? (isBridge ? 0 : undefined);
  return {
    containerPort: raw.containerPort ?? 0,
    ...(hostPort === undefined ? {} : { hostPort }),
    servicePort: raw.servicePort ?? 0,
    protocol: portProtocol(raw.protocol),
    ...(raw.name === undefined ? {} : { name: raw.name }),
    ...(raw.labels === undefined ? {} : { labels: raw.labels }),
    ...(raw.networkNames === undefined ? {} : { networkNames: raw.networkNames }),
  };
}

export function portDefinition(raw: RawDefinition): PortDefinition {
  return {
    port: raw.port ?? 0,
    protocol: portProtocol(raw.protocol),
    ...(raw.name === undefined ? {} : { name: raw.name }),
    ...(raw.labels === undefined ? {} : { labels: raw.labels }),
  };
}

function portProtocol(raw: string | undefined): PortProtocol {
  if (raw === "tcp,udp") return "udp,tcp";
  return (raw as PortProtocol | undefined) ?? "tcp";
}

/** Puts mappings where they belong: in the container of an app that is not on the host's network. */
export function withMappings(
  container: AppContainer | undefined,
  networks: readonly Network[],
  given: readonly PortMapping[] | undefined,
): AppContainer | undefined {
  if (networks.every(({ mode }) => mode === "host")) {
    if (given !== undefined && given.length > 0) return { ...(container ?? MESOS_CONTAINER), portMappings: given };
    return container;
  }
  const isBridge = networks.some(({ mode }) => mode === "container/bridge");
  const mappings = given ?? container?.portMappings ?? [portMapping({ name: "default" }, isBridge)];
  return { ...(container ?? MESOS_CONTAINER), portMappings: mappings };
}

const MESOS_CONTAINER: AppContainer = { type: "MESOS", volumes: [] };
