/** The variables that Marathon gives to every task (specification 1.9). */
import type { EnvVar } from "../../model/pod.ts";
import { type AppDefinition, type AppPort, isHostMode, portsOf } from "./app-definition.ts";

/** Where Mesos mounts a container's sandbox. */
export const SANDBOX = "/mnt/mesos/sandbox";

/** The process driver's name for the sandbox it makes on the node. */
const PROCESS_SANDBOX = "$(STYR_SANDBOX)";

/** Names of the pod's ports, in the order of portIndex: the user's where there are any. */
export function portNames(app: AppDefinition): readonly string[] {
  const names = new Set<string>();
  for (const [i, { name }] of portsOf(app).entries()) {
    let chosen = name ?? `port-${i}`;
    while (names.has(chosen)) chosen += "-";
    names.add(chosen);
  }
  return [...names];
}

/** Context, then ports, then the user's own, which win. Values of ours and the user's are literal: `$` is written `$$` for the kernel. */
export function taskEnvironment(app: AppDefinition, taskId: string): readonly EnvVar[] {
  const variables = new Map<string, EnvVar>();
  for (const variable of [...contextVariables(app, taskId), ...portVariables(app)])
    variables.set(variable.name, variable);
  for (const [name, value] of Object.entries(app.env ?? {})) variables.set(name, literal(name, value));
  return [...variables.values()];
}

/** The kernel expands `$(NAME)` in values; Marathon does not. (Commands it leaves to the letter.) */
function escapeDollars(text: string): string {
  return text.replaceAll("$", "$$$$");
}

function literal(name: string, value: string): EnvVar {
  return { name, value: escapeDollars(value) };
}

function contextVariables(app: AppDefinition, taskId: string): readonly EnvVar[] {
  return [
    literal("MESOS_TASK_ID", taskId),
    literal("MARATHON_APP_ID", app.id),
    literal("MARATHON_APP_VERSION", app.version),
    ...(app.container?.docker ? [literal("MARATHON_APP_DOCKER_IMAGE", app.container.docker.image)] : []),
    literal("MARATHON_APP_RESOURCE_CPUS", scalaDouble(app.cpus)),
    literal("MARATHON_APP_RESOURCE_MEM", scalaDouble(app.mem)),
    literal("MARATHON_APP_RESOURCE_DISK", scalaDouble(app.disk)),
    literal("MARATHON_APP_RESOURCE_GPUS", String(app.gpus)),
    literal("MARATHON_APP_ENFORCE_GROUP_ROLE", "FALSE"),
    ...labelVariables(app.labels),
    { name: "MESOS_SANDBOX", value: app.container?.docker ? SANDBOX : PROCESS_SANDBOX },
  ];
}

const LONGEST_LABEL_KEY = 493;
const LONGEST_LABEL_VALUE = 512;

function labelVariables(labels: Readonly<Record<string, string>>): readonly EnvVar[] {
  const fitting = Object.entries(labels)
    .filter(([key, value]) => key.length < LONGEST_LABEL_KEY && value.length < LONGEST_LABEL_VALUE)
    .map(([key, value]) => [key.replaceAll(/[^a-zA-Z0-9_]+/g, "_").toUpperCase(), value] as const);
  return [
    literal("MARATHON_APP_LABELS", fitting.map(([key]) => key).join(" ")),
    ...fitting.map(([key, value]) => literal(`MARATHON_APP_LABEL_${key}`, value)),
  ];
}

function portVariables(app: AppDefinition): readonly EnvVar[] {
  const ports = portsOf(app);
  const names = portNames(app);
  const host: EnvVar = { name: "HOST", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } };
  if (ports.length === 0) return [host];
  const numbered = ports.map((port, i) => ({ name: `PORT${i}`, ...portValue(app, port, names[i] ?? "") }));
  // A user's PORT0 is that variable and no other: what says the same port has it by a name of ours then.
  const isTheirs = ({ name }: EnvVar) => Object.hasOwn(app.env ?? {}, name);
  const ours = numbered.filter(isTheirs).map((variable) => ({ ...variable, name: ownName(variable.name) }));
  // `$(PORT0)` refers to the variables above.
  const refs = numbered.map((variable) => `$(${isTheirs(variable) ? ownName(variable.name) : variable.name})`);
  const aliases = ports.flatMap(({ containerPort, name }, i) => [
    ...(containerPort === 0 ? [] : [{ name: `PORT_${containerPort}`, value: refs[i] ?? "" }]),
    ...(name === undefined ? [] : [{ name: `PORT_${name.toUpperCase()}`, value: refs[i] ?? "" }]),
  ]);
  const [first = ""] = refs;
  const all = { name: "PORTS", value: refs.join(",") };
  return [host, ...numbered, ...ours, { name: "PORT", value: first }, all, ...aliases];
}

function ownName(portName: string): string {
  return `STYR_${portName}`;
}

function portValue(app: AppDefinition, port: AppPort, name: string): Pick<EnvVar, "value" | "valueFrom"> {
  if (isHostMode(app))
    return app.requirePorts ? { value: String(port.servicePort) } : { valueFrom: { assignedPort: name } };
  if (port.hostPort === undefined) return { value: String(port.containerPort) };
  return port.hostPort === 0 ? { valueFrom: { assignedPort: name } } : { value: String(port.hostPort) };
}

/** As Scala writes a Double: `1.0`, `0.5`, `1.0E7`. */
export function scalaDouble(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) {
    const [digits = "0", exponent = "0"] = value.toExponential().split("e");
    return `${digits.includes(".") ? digits : `${digits}.0`}E${Number(exponent)}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
