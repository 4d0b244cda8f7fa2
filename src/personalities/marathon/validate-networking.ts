import { tunnelPortProblem } from "../../model/tunnel-ports.ts";
import { type AppBody, isHostMode, type Network } from "./app-definition.ts";
import type { Violation } from "./errors.ts";

/** Networks and ports that contradict each other, in Marathon's words (specification 1.8). */
export function networkViolations(app: AppBody): readonly Violation[] {
  return [...networks(app.networks), ...placement(app), ...ports(app)];
}

function networks(list: readonly Network[]): Violation[] {
  const found: Violation[] = [];
  const modes = new Set(list.map(({ mode }) => mode));
  if (modes.size > 1 || (list.length > 1 && !modes.has("container"))) {
    const message = "May specify a single host network, single bridge network, or else 1-to-n container networks";
    found.push({ field: "/networks", message });
  }
  for (const [i, { mode, name, labels }] of list.entries()) {
    const field = `/networks(${i})`;
    if (mode === "host" && (name !== undefined || labels)) {
      found.push({ field, message: "Host networks may not have names or labels" });
    }
    if (mode === "container/bridge" && name !== undefined) {
      found.push({ field, message: "Bridge networks may not have names" });
    }
    if (mode === "container" && name === undefined) {
      found.push({ field, message: "container network name is not defined" });
    }
  }
  const names = list.flatMap(({ name }) => name ?? []);
  if (new Set(names).size < names.length) {
    found.push({ field: "/networks", message: "Duplicate networks are not allowed" });
  } else if (names.length > 1) {
    found.push({ field: "/networks", message: "more than one container network is not supported" });
  }
  return found;
}

function placement(app: AppBody): Violation[] {
  if (isHostMode(app)) {
    if (app.container?.portMappings === undefined) return [];
    return [{ field: "/container/portMappings", message: "portMappings are not allowed with host-networking" }];
  }
  if (app.portDefinitions === undefined || app.portDefinitions.length === 0) return [];
  return [{ field: "/portDefinitions", message: "portDefinitions are only allowed with host-networking" }];
}

/** Each is rules on every node, and a name. */
const MOST_PORTS = 2_000;

function ports(app: AppBody): Violation[] {
  const found: Violation[] = [];
  const definitions = app.portDefinitions ?? [];
  const mappings = app.container?.portMappings ?? [];
  const message = `An app may have ${MOST_PORTS} ports at most.`;
  if (definitions.length > MOST_PORTS) found.push({ field: "/portDefinitions", message });
  if (mappings.length > MOST_PORTS) found.push({ field: "/container/portMappings", message });
  if (hasTwice(definitions.map(({ name }) => name))) {
    found.push({ field: "/portDefinitions", message: "Port names must be unique." });
  }
  if (hasTwice(mappings.map(({ name }) => name))) {
    found.push({ field: "/container/portMappings", message: "Port names must be unique." });
  }
  if (hasTwice(definitions.map(({ port, protocol }) => (port === 0 ? undefined : `${port}/${protocol}`)))) {
    found.push({ field: "/portDefinitions", message: "Ports must be unique." });
  }
  for (const [i, { hostPort = 0, protocol }] of mappings.entries()) {
    const taken = tunnelPortProblem(hostPort, protocol);
    if (taken) found.push({ field: `/container/portMappings(${i})/hostPort`, message: taken });
  }
  if (hasTwice(mappings.map(({ hostPort, protocol }) => (hostPort ? `${hostPort}/${protocol}` : undefined)))) {
    found.push({ field: "/container/portMappings", message: "Ports must be unique." });
  }
  return found;
}

function hasTwice(values: readonly (string | undefined)[]): boolean {
  const present = values.filter((value) => value !== undefined);
  return new Set(present).size < present.length;
}
