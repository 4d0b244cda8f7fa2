import type { HealthCheck, Probe, ProbeAction } from "../../../model/pod.ts";
import { type FieldError, invalidValue, notAllowed, required, unsupported } from "./field-errors.ts";
import { portName } from "./names.ts";

const ACTIONS = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;
type AnyAction = ProbeAction & {
  readonly grpc?: { readonly port?: number };
  readonly sleep?: { readonly seconds?: number };
};

/** Exactly one action, complete. */
export function validateAction(action: AnyAction, path: string): readonly FieldError[] {
  const given = ACTIONS.filter((name) => action[name] !== undefined);
  const [first, ...others] = given;
  if (!first) return [required(path, "must specify a handler type")];
  return [
    ...others.map((name) => notAllowed(`${path}.${name}`, "may not specify more than 1 handler type")),
    ...actionOf(action, first, `${path}.${first}`),
  ];
}

function actionOf(action: AnyAction, name: (typeof ACTIONS)[number], path: string): readonly FieldError[] {
  switch (name) {
    case "exec":
      return action.exec?.command?.length ? [] : [required(`${path}.command`)];
    case "tcpSocket":
      return validatePortReference(action.tcpSocket?.port, `${path}.port`);
    case "grpc":
      return validatePortReference(action.grpc?.port, `${path}.port`);
    case "sleep":
      return (action.sleep?.seconds ?? 0) >= 0 ? [] : [invalidValue(`${path}.seconds`, action.sleep?.seconds)];
    case "httpGet": {
      const { port, scheme } = action.httpGet ?? {};
      return [
        ...validatePortReference(port, `${path}.port`),
        ...(scheme && scheme !== "HTTP" && scheme !== "HTTPS"
          ? [unsupported(`${path}.scheme`, scheme, ["HTTP", "HTTPS"])]
          : []),
      ];
    }
  }
}

/** A number in range, or the name of a container's port. */
export function validatePortReference(port: number | string | undefined, path: string): readonly FieldError[] {
  if (port === undefined || port === "") return [required(path)];
  if (typeof port === "string") return portName(port).map((why) => invalidValue(path, port, why));
  return validatePort(port, path);
}

export function validatePort(port: number, path: string): readonly FieldError[] {
  return port >= 1 && port <= 65535 ? [] : [invalidValue(path, port, "must be between 1 and 65535, inclusive")];
}

const PROBE_NUMBERS = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

/** A liveness and a startup probe succeed at the first success; there is nothing to count. */
export function validateProbe(
  probe: Probe | undefined,
  path: string,
  purpose: "liveness" | "startup" | "readiness",
): readonly FieldError[] {
  if (!probe) return [];
  const errors: FieldError[] = [...validateAction(probe, path)];
  for (const name of PROBE_NUMBERS) {
    const value = probe[name];
    if (value !== undefined && value < 0) errors.push(negative(`${path}.${name}`, value));
  }
  if (purpose !== "readiness" && (probe.successThreshold ?? 1) > 1) {
    errors.push(invalidValue(`${path}.successThreshold`, probe.successThreshold, "must be 1"));
  }
  return errors;
}

const CHECK_NUMBERS = [
  "intervalSeconds",
  "timeoutSeconds",
  "delaySeconds",
  "graceSeconds",
  "killAfterFailures",
] as const;

/** The extension `healthChecks`. */
export function validateHealthCheck(check: HealthCheck, path: string): readonly FieldError[] {
  const errors: FieldError[] = check.assignedPort === undefined ? [...validateAction(check, path)] : [];
  for (const name of CHECK_NUMBERS) {
    const value = check[name];
    if (value === undefined && name !== "delaySeconds") errors.push(required(`${path}.${name}`));
    else if (value !== undefined && value < 0) errors.push(negative(`${path}.${name}`, value));
  }
  return errors;
}

export function negative(path: string, value: number): FieldError {
  return invalidValue(path, value, "must be greater than or equal to 0");
}
