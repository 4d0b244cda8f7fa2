/** The rules an app must keep (specification 1.1 to 1.8), each with Marathon's words and path. Pure. */
import {
  EXCLUSIVE_ANNOTATION,
  parseUnreachableRule,
  WHEN_UNREACHABLE_ANNOTATION,
} from "../../model/when-unreachable.ts";
import { type AppBody, isExclusive, isHostMode, portsOf, stopsFirst } from "./app-definition.ts";
import { constraintViolations } from "./constraints.ts";
import { invalidObject, type Violation } from "./errors.ts";
import { absoluteId, climbsAboveRoot, endsReserved } from "./ids.ts";
import { networkViolations } from "./validate-networking.ts";

/** Throws "Object is not valid" with everything that is wrong. `prefix`: the path of an app within a list or group. */
export function assertValid(app: AppBody, prefix = ""): void {
  const violations = [...appViolations(app)].map(({ field, message }) => ({
    field: prefix === "" ? field : field === "/" ? prefix : `${prefix}${field}`,
    message,
  }));
  if (violations.length > 0) throw invalidObject(violations);
}

/** The absolute id of what a body names; 422 at `field` when it leads out of the root group. */
export function idWithin(text: string, base = "/", field = "/id"): string {
  if (climbsAboveRoot(text, base))
    throw invalidObject([
      { field, message: `'${text}' leads above the root group; '..' stands for the group around it` },
    ]);
  return absoluteId(text, base);
}

function appViolations(app: AppBody): readonly Violation[] {
  return [
    ...identity(app),
    ...command(app),
    ...amounts(app),
    ...constraintViolations(app.constraints ?? []),
    ...networkViolations(app),
    ...strategies(app),
    ...health(app),
    ...readiness(app),
    ...execution(app),
  ];
}

function identity({ id }: AppBody): Violation[] {
  if (id === "/") return [{ field: "/id", message: "must not be the root path" }];
  if (!endsReserved(id)) return [];
  return [
    {
      field: "/id",
      message: "must not end with any of the following reserved keywords: restart, tasks, versions, ., ..",
    },
  ];
}

function command({ cmd, args, container }: AppBody): Violation[] {
  const found: Violation[] = [];
  // The original's rule is named "not empty" and tests for more than one character.
  if (cmd !== undefined && cmd.length <= 1) found.push({ field: "/cmd", message: "must not be an empty string" });
  const given = Number(cmd !== undefined) + Number(args !== undefined);
  if (given > 1 || (given === 0 && container?.docker === undefined)) {
    const message = "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.";
    found.push({ field: "/", message });
  }
  return found;
}

/** Largest amounts that can be meant: beyond them a number is a slip of the hand, and sums would lose their precision. */
const MOST = { cpus: 100_000, mem: 1024 ** 3, disk: 1024 ** 4, instances: 100_000 } as const;

function amounts(app: AppBody): Violation[] {
  const found: Violation[] = [];
  for (const name of Object.keys(MOST) as (keyof typeof MOST)[]) {
    if (app[name] > MOST[name]) {
      found.push({ field: `/${name}`, message: `got ${app[name]}, expected ${MOST[name]} or less` });
    }
  }
  for (const name of ["cpus", "mem"] as const) {
    const limit = app.resourceLimits?.[name];
    if (typeof limit !== "number") continue;
    const message = `resource limit must be greater than or equal to requested resource (${app[name]})`;
    if (limit < app[name]) found.push({ field: `/resourceLimits/${name}`, message });
    else if (limit > MOST[name]) {
      found.push({ field: `/resourceLimits/${name}`, message: `got ${limit}, expected ${MOST[name]} or less` });
    }
  }
  return found;
}

function strategies(app: AppBody): Violation[] {
  const { upgradeStrategy: upgrade, unreachableStrategy: unreachable } = app;
  const found: Violation[] = [];
  for (const name of ["minimumHealthCapacity", "maximumOverCapacity"] as const) {
    const value = upgrade[name];
    if (value < 0 || value > 1) {
      found.push({ field: `/upgradeStrategy/${name}`, message: `got ${value}, expected between 0.0 and 1.0` });
    } else if (stopsFirst(app) && value !== 0) {
      const why = isExclusive(app) ? ": an exclusive app stops before it starts" : "";
      found.push({ field: `/upgradeStrategy/${name}`, message: `got ${value}, expected 0.0${why}` });
    }
  }
  if (stopsFirst(app) && app.instances > 1) {
    const kind = isExclusive(app) ? "Exclusive" : "Single instance";
    found.push({ field: "/instances", message: `${kind} app may only have one instance` });
  }
  const exclusive = app.labels[EXCLUSIVE_ANNOTATION];
  if (exclusive !== undefined && exclusive !== "true" && exclusive !== "false") {
    found.push({ field: `/labels/${EXCLUSIVE_ANNOTATION}`, message: `got "${exclusive}", expected "true" or "false"` });
  }
  const rule = app.labels[WHEN_UNREACHABLE_ANNOTATION];
  if (rule !== undefined && parseUnreachableRule(rule) === undefined) {
    const field = `/labels/${WHEN_UNREACHABLE_ANNOTATION}`;
    found.push({ field, message: `got "${rule}", expected "keep", "replace" or a duration such as "5m"` });
  }
  if (unreachable !== "disabled" && unreachable.inactiveAfterSeconds > unreachable.expungeAfterSeconds) {
    found.push({
      field: "/unreachableStrategy/inactiveAfterSeconds",
      message: `inactiveAfterSeconds (${unreachable.inactiveAfterSeconds}) must be less or equal to expungeAfterSeconds, which is ${unreachable.expungeAfterSeconds}`,
    });
  }
  return found;
}

function health(app: AppBody): Violation[] {
  const found: Violation[] = [];
  const ports = portsOf(app).length;
  const indexProblem =
    "Health check port indices must address an element of the ports array or container port mappings.";
  for (const [i, { protocol, port, portIndex, command, ipProtocol }] of app.healthChecks.entries()) {
    const field = `/healthChecks(${i})`;
    if (protocol === "COMMAND") {
      if (!command) found.push({ field, message: "COMMAND health check must specify a command" });
    } else {
      if (command) found.push({ field, message: `${protocol} health check must not specify a command` });
      const addressed = port !== undefined || (portIndex !== undefined && portIndex < ports);
      if (!addressed) found.push({ field, message: indexProblem });
    }
    if (ipProtocol === "IPv6") found.push({ field: `${field}/ipProtocol`, message: "IPv6 is not supported" });
  }
  if (app.healthChecks.filter(({ protocol }) => protocol.startsWith("MESOS_")).length > 1) {
    found.push({ field: "/", message: "AppDefinition can contain at most one Mesos health check" });
  }
  if (app.check) found.push(...checkViolations(app, indexProblem));
  return found;
}

function checkViolations(app: AppBody, indexProblem: string): Violation[] {
  const { check } = app;
  const kinds = [check?.http, check?.tcp, check?.exec].filter((kind) => kind !== undefined).length;
  if (kinds !== 1) return [{ field: "/check", message: "exactly one of http, tcp or exec must be given" }];
  const { shell, argv } = check?.exec?.command ?? {};
  if (check?.exec && shell === undefined && (argv === undefined || argv.length === 0)) {
    return [{ field: "/check/exec/command", message: "either shell or argv must be given" }];
  }
  const at = check?.http ?? check?.tcp;
  if (!at || at.port !== undefined) return [];
  return (at.portIndex ?? 0) < portsOf(app).length ? [] : [{ field: "/check", message: indexProblem }];
}

function readiness(app: AppBody): Violation[] {
  const checks = app.readinessChecks ?? [];
  const names = new Set(portsOf(app).map(({ name }) => name));
  const found: Violation[] = [];
  if (checks.length > 1) found.push({ field: "/readinessChecks", message: "may not have more than 1 readiness check" });
  for (const [i, { portName, intervalSeconds, timeoutSeconds }] of checks.entries()) {
    const field = `/readinessChecks(${i})`;
    if (!names.has(portName)) {
      found.push({ field: `${field}/portName`, message: `No port definition reference for portName ${portName}` });
    }
    if (timeoutSeconds >= intervalSeconds) {
      found.push({
        field: `${field}/timeoutSeconds`,
        message: `must be less than intervalSeconds (${intervalSeconds})`,
      });
    }
  }
  return found;
}

/** What the drivers here cannot do with the container that the app asks for. */
function execution(app: AppBody): Violation[] {
  const found = volumePaths(app);
  if (app.container?.docker) {
    const reason =
      "into a Docker container is not supported; put it into the image, or log the node's Docker Engine in to the registry";
    for (const [i, { uri }] of (app.fetch ?? []).entries()) {
      found.push({ field: `/fetch(${i})`, message: `fetching "${uri}" ${reason}` });
    }
    return found;
  }
  if (app.container?.type === "DOCKER") found.push({ field: "/container/docker", message: "not defined" });
  if (!isHostMode(app)) {
    found.push({
      field: "/networks",
      message: "an app without an image runs directly on the host: only host networking is supported",
    });
  }
  return found;
}

function volumePaths({ container }: AppBody): Violation[] {
  const found: Violation[] = [];
  for (const [i, { containerPath, hostPath }] of (container?.volumes ?? []).entries()) {
    const field = `/container/volumes(${i})`;
    const isAbsolute = containerPath.startsWith("/");
    if (!hostPath.startsWith("/")) found.push({ field: `${field}/hostPath`, message: "must be an absolute path" });
    if (containerPath.split("/").includes("..")) {
      found.push({ field: `${field}/containerPath`, message: "must not contain '..'" });
    } else if (!container?.docker && isAbsolute && containerPath !== hostPath) {
      const message = "an app without an image sees the host's own files: use a path relative to its sandbox";
      found.push({ field: `${field}/containerPath`, message });
    }
  }
  return found;
}
