import { parseAddress } from "../../../lib/subnet.ts";
import { type Container, type ContainerPort, driverOf, type EnvFromSource, type EnvVar } from "../../../model/pod.ts";
import { isAnyAddress } from "../../../model/published-ports.ts";
import { tunnelPortProblem } from "../../../model/tunnel-ports.ts";
import {
  duplicate,
  type FieldError,
  invalidValue,
  missing,
  notAllowed,
  required,
  unsupported,
} from "./field-errors.ts";
import { configKey, dnsLabel, dnsSubdomain, envName, portName } from "./names.ts";
import { validateAction, validateHealthCheck, validatePort, validateProbe } from "./probes.ts";
import { validateResources } from "./resources.ts";

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"] as const;
const PROTOCOLS = ["SCTP", "TCP", "UDP"] as const;
const DRIVERS = ["docker", "process", "unit", "fake"] as const;

export interface PodSurroundings {
  readonly volumes: ReadonlySet<string>;
  readonly hostNetwork: boolean;
  readonly isInit: boolean;
}

export function validateContainer(container: Container, path: string, pod: PodSurroundings): readonly FieldError[] {
  return [
    ...validateIdentity(container, path),
    ...validatePorts(container.ports ?? [], `${path}.ports`, pod.hostNetwork),
    ...(container.env ?? []).flatMap((variable, at) => validateEnv(variable, `${path}.env[${at}]`)),
    ...(container.envFrom ?? []).flatMap((source, at) => validateEnvFrom(source, `${path}.envFrom[${at}]`)),
    ...validateResources(container.resources, `${path}.resources`),
    ...validateMounts(container, path, pod.volumes),
    ...validateLife(container, path, pod.isInit),
    ...(container.healthChecks ?? []).flatMap((check, at) => validateHealthCheck(check, `${path}.healthChecks[${at}]`)),
  ];
}

function validateIdentity(container: Container, path: string): readonly FieldError[] {
  const { name, image, imagePullPolicy, driver } = container;
  const errors: FieldError[] = name
    ? dnsLabel(name).map((why) => invalidValue(`${path}.name`, name, why))
    : [required(`${path}.name`)];
  if (driver !== undefined && !DRIVERS.includes(driver)) errors.push(unsupported(`${path}.driver`, driver, DRIVERS));
  if (driver === "unit" && container.unit === undefined) {
    errors.push(required(`${path}.unit`, "the unit driver needs the unit to execute"));
  }
  if (driver === "process" && !container.command?.length && !container.args?.length) {
    errors.push(required(`${path}.command`, "the process driver needs a command"));
  }
  // Without `driver` a container without an image would be a process on the host: never by an oversight.
  if (!image && (driver === undefined || driverOf(container) === "docker")) errors.push(required(`${path}.image`));
  else if (image && image !== image.trim()) {
    errors.push(invalidValue(`${path}.image`, image, "must not have leading or trailing whitespace"));
  } else if (image && /[\s\p{Cc}]/u.test(image)) {
    errors.push(invalidValue(`${path}.image`, image, "must not contain whitespace or control characters"));
  }
  if (imagePullPolicy && !PULL_POLICIES.includes(imagePullPolicy)) {
    errors.push(unsupported(`${path}.imagePullPolicy`, imagePullPolicy, PULL_POLICIES));
  }
  for (const field of ["command", "args"] as const) {
    container[field]?.forEach((word, at) => {
      // The kernel ends an argument at the first NUL: what runs would not be what is written.
      if (word.includes("\0")) errors.push(invalidValue(`${path}.${field}[${at}]`, word, "must not contain NUL"));
    });
  }
  return errors;
}

function validatePorts(ports: readonly ContainerPort[], path: string, hostNetwork: boolean): readonly FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, at) => {
    const field = `${path}[${at}]`;
    const errors: FieldError[] = [];
    if (port.name) {
      errors.push(...portName(port.name).map((why) => invalidValue(`${field}.name`, port.name, why)));
      if (names.has(port.name)) errors.push(duplicate(`${field}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort && !port.dynamicHostPort) errors.push(required(`${field}.containerPort`));
    else if (port.containerPort) errors.push(...validatePort(port.containerPort, `${field}.containerPort`));
    if (port.hostPort) errors.push(...validatePort(port.hostPort, `${field}.hostPort`));
    // Docker would lead IPv6 to the pod's IPv4 by a program of the host, past every NetworkPolicy.
    if (!hostNetwork && port.hostPort && !isHostPlace(port.hostIP))
      errors.push(
        invalidValue(`${field}.hostIP`, port.hostIP, "must be an IPv4 address of the host: pods have no IPv6"),
      );
    const taken = hostNetwork ? undefined : tunnelPortProblem(port.hostPort ?? 0, port.protocol ?? "TCP");
    if (taken) errors.push(invalidValue(`${field}.hostPort`, port.hostPort, taken));
    if (hostNetwork && port.hostPort && port.hostPort !== port.containerPort) {
      errors.push(
        invalidValue(`${field}.hostPort`, port.hostPort, "must match `containerPort` when `hostNetwork` is true"),
      );
    }
    if (port.protocol && !PROTOCOLS.includes(port.protocol)) {
      errors.push(unsupported(`${field}.protocol`, port.protocol, PROTOCOLS));
    }
    return errors;
  });
}

function isHostPlace(hostIP = ""): boolean {
  return isAnyAddress(hostIP) || parseAddress(hostIP) !== undefined;
}

const SOURCES = [
  "fieldRef",
  "resourceFieldRef",
  "configMapKeyRef",
  "secretKeyRef",
  "fileKeyRef",
  "assignedPort",
] as const;
const FIELD_PATHS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
] as const;

function validateEnv({ name, value, valueFrom }: EnvVar, path: string): readonly FieldError[] {
  const errors: FieldError[] = name
    ? envName(name).map((why) => invalidValue(`${path}.name`, name, why))
    : [required(`${path}.name`)];
  if (value?.includes("\0")) errors.push(invalidValue(`${path}.value`, value, "must not contain NUL"));
  if (!valueFrom) return errors;
  const from = `${path}.valueFrom`;
  const given = SOURCES.filter((source) => (valueFrom as Readonly<Record<string, unknown>>)[source] !== undefined);
  if (value) errors.push(invalidValue(from, "", "may not be specified when `value` is not empty"));
  else if (given.length !== 1) {
    const why =
      given.length === 0
        ? "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        : "may not have more than one field specified at a time";
    errors.push(invalidValue(from, "", why));
  }
  const { fieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
  if (fieldRef && !isFieldPath(fieldRef.fieldPath ?? "")) {
    errors.push(
      fieldRef.fieldPath
        ? unsupported(`${from}.fieldRef.fieldPath`, fieldRef.fieldPath, FIELD_PATHS)
        : required(`${from}.fieldRef.fieldPath`),
    );
  }
  for (const [field, reference] of Object.entries({ secretKeyRef, configMapKeyRef })) {
    if (!reference) continue;
    if (!reference.name) errors.push(required(`${from}.${field}.name`));
    if (!reference.key) errors.push(required(`${from}.${field}.key`));
    else
      errors.push(...configKey(reference.key).map((why) => invalidValue(`${from}.${field}.key`, reference.key, why)));
  }
  return errors;
}

function validateEnvFrom({ prefix, configMapRef, secretRef }: EnvFromSource, path: string): readonly FieldError[] {
  const errors: FieldError[] = prefix ? envName(prefix).map((why) => invalidValue(`${path}.prefix`, prefix, why)) : [];
  if (configMapRef && secretRef) {
    errors.push(invalidValue(path, "", "may not have more than one field specified at a time"));
  } else if (!configMapRef && !secretRef) {
    errors.push(invalidValue(path, "", "must specify one of: `configMapRef` or `secretRef`"));
  }
  for (const [field, reference] of Object.entries({ configMapRef, secretRef })) {
    if (!reference) continue;
    if (!reference.name) errors.push(required(`${path}.${field}.name`));
    else
      errors.push(
        ...dnsSubdomain(reference.name).map((why) => invalidValue(`${path}.${field}.name`, reference.name, why)),
      );
  }
  return errors;
}

function isFieldPath(path: string): boolean {
  return (FIELD_PATHS as readonly string[]).includes(path) || /^metadata\.(labels|annotations)\['[^']+'\]$/.test(path);
}

function validateMounts(container: Container, path: string, volumes: ReadonlySet<string>): readonly FieldError[] {
  const seen = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, at) => {
    const field = `${path}.volumeMounts[${at}]`;
    const errors: FieldError[] = [];
    if (!mount.name) errors.push(required(`${field}.name`));
    else if (!volumes.has(mount.name)) errors.push(missing(`${field}.name`, mount.name));
    if (!mount.mountPath) errors.push(required(`${field}.mountPath`));
    else if (seen.has(mount.mountPath))
      errors.push(invalidValue(`${field}.mountPath`, mount.mountPath, "must be unique"));
    else if (mount.mountPath.includes(":"))
      errors.push(invalidValue(`${field}.mountPath`, mount.mountPath, "must not contain ':'"));
    seen.add(mount.mountPath);
    if (mount.subPath) errors.push(...pathBelow(mount.subPath, `${field}.subPath`));
    return errors;
  });
}

/** A path that must stay below the place it is used at. */
export function pathBelow(text: string, field: string): readonly FieldError[] {
  if (text.startsWith("/")) return [invalidValue(field, text, "must be a relative path")];
  return text.split("/").includes("..") ? [invalidValue(field, text, "must not contain '..'")] : [];
}

function validateLife(container: Container, path: string, isInit: boolean): readonly FieldError[] {
  const { lifecycle, restartPolicy } = container;
  const isSidecar = isInit && restartPolicy === "Always";
  if (isInit && !isSidecar) {
    const probes = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] as const;
    return [
      ...(restartPolicy === undefined ? [] : [unsupported(`${path}.restartPolicy`, restartPolicy, ["Always"])]),
      ...probes
        .filter((name) => container[name] !== undefined)
        .map((name) =>
          notAllowed(`${path}.${name}`, "may not be set for init containers without restartPolicy=Always"),
        ),
    ];
  }
  return [
    ...(restartPolicy !== undefined && !isInit
      ? [notAllowed(`${path}.restartPolicy`, "may not be set for non-init containers")]
      : []),
    ...validateProbe(container.livenessProbe, `${path}.livenessProbe`, "liveness"),
    ...validateProbe(container.readinessProbe, `${path}.readinessProbe`, "readiness"),
    ...validateProbe(container.startupProbe, `${path}.startupProbe`, "startup"),
    ...(lifecycle?.postStart ? validateAction(lifecycle.postStart, `${path}.lifecycle.postStart`) : []),
    ...(lifecycle?.preStop ? validateAction(lifecycle.preStop, `${path}.lifecycle.preStop`) : []),
  ];
}
