/** Marathon's health checks, checks and readiness checks → the kernel's (specification 1.4). Pure. */
import type { HealthCheck, ProbeAction } from "../../model/pod.ts";
import {
  type AppDefinition,
  type AppHealthCheck,
  type Check,
  isHostMode,
  portsOf,
  type ReadinessCheck,
} from "./app-definition.ts";
import { portNames } from "./task-environment.ts";

/** The app's health checks in their order, then its `check`, then its readiness checks. `checkIndexes` finds them again. */
export function translateHealthChecks(app: AppDefinition): readonly HealthCheck[] {
  return [
    ...app.healthChecks.map((check) => healthCheck(app, check)),
    ...(app.check ? [informingCheck(app, app.check)] : []),
    ...(app.readinessChecks ?? []).map((check) => readinessCheck(app, check)),
  ];
}

/** Where the results of each sort stand among a container's healthResults. */
export function checkIndexes(app: AppDefinition): {
  readonly health: number;
  readonly check: number | undefined;
  readonly readiness: number | undefined;
} {
  const health = app.healthChecks.length;
  const afterCheck = health + (app.check ? 1 : 0);
  return {
    health,
    check: app.check ? health : undefined,
    readiness: app.readinessChecks === undefined ? undefined : afterCheck,
  };
}

function healthCheck(app: AppDefinition, check: AppHealthCheck): HealthCheck {
  return {
    ...actionOf(app, check),
    intervalSeconds: check.intervalSeconds,
    timeoutSeconds: check.timeoutSeconds,
    graceSeconds: check.gracePeriodSeconds,
    killAfterFailures: check.maxConsecutiveFailures,
    ...(check.delaySeconds === undefined ? {} : { delaySeconds: check.delaySeconds }),
    ...(check.ignoreHttp1xx ? { ignoreHttp1xx: true } : {}),
  };
}

type Addressed = ProbeAction & Pick<HealthCheck, "assignedPort">;

function actionOf(app: AppDefinition, { protocol, path, port, portIndex, command }: AppHealthCheck): Addressed {
  // Marathon itself checks the port that the world sees; the executor checks inside the container.
  const fromOutside = !protocol.startsWith("MESOS_");
  switch (protocol) {
    case "COMMAND":
      return { exec: { command: ["/bin/sh", "-c", command?.value ?? ""] } };
    case "TCP":
    case "MESOS_TCP": {
      const at = addressOf(app, port, portIndex, fromOutside);
      return { tcpSocket: { port: at.port }, ...at.assigned };
    }
    default: {
      const at = addressOf(app, port, portIndex, fromOutside);
      const scheme = protocol.endsWith("HTTPS") ? "HTTPS" : "HTTP";
      return { httpGet: { path: path ?? "/", port: at.port, scheme }, ...at.assigned };
    }
  }
}

/** A number is the container's own port. By index: the host port, or the container's when the check runs inside and the two differ. */
function addressOf(app: AppDefinition, port: number | undefined, portIndex: number | undefined, fromOutside: boolean) {
  if (port !== undefined) return { port, assigned: {} };
  const name = portNames(app)[portIndex ?? 0] ?? "";
  const mapping = isHostMode(app) ? undefined : app.container?.portMappings?.[portIndex ?? 0];
  const isPublished = mapping === undefined || mapping.hostPort !== undefined;
  const useHostPort = isPublished && (fromOutside || mapping === undefined || mapping.containerPort === 0);
  return { port: name, assigned: useHostPort ? { assignedPort: name } : {} };
}

/** Marathon reports what a `check` says and does nothing about it. */
function informingCheck(app: AppDefinition, check: Check): HealthCheck {
  const { http, tcp, exec } = check;
  const common = {
    intervalSeconds: check.intervalSeconds,
    timeoutSeconds: check.timeoutSeconds,
    delaySeconds: check.delaySeconds,
    graceSeconds: 0,
    killAfterFailures: 0,
  };
  if (exec) {
    const { shell, argv = [] } = exec.command;
    const command = shell === undefined ? argv : ["/bin/sh", "-c", shell];
    return { exec: { command }, ...common };
  }
  const at = addressOf(app, http?.port ?? tcp?.port, http?.portIndex ?? tcp?.portIndex, false);
  if (tcp) return { tcpSocket: { port: at.port }, ...at.assigned, ...common };
  const scheme = http?.scheme === "https" ? "HTTPS" : "HTTP";
  return { httpGet: { path: http?.path ?? "/", port: at.port, scheme }, ...at.assigned, ...common };
}

/** A deployment waits for it; it never kills. Any status from 200 to 399 counts as ready. */
function readinessCheck(app: AppDefinition, check: ReadinessCheck): HealthCheck {
  const index = portsOf(app).findIndex(({ name }) => name === check.portName);
  const at = addressOf(app, undefined, index, true);
  return {
    httpGet: { path: check.path, port: at.port, scheme: check.protocol },
    ...at.assigned,
    intervalSeconds: check.intervalSeconds,
    timeoutSeconds: check.timeoutSeconds,
    graceSeconds: 0,
    killAfterFailures: 0,
  };
}
