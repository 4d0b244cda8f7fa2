import { isIP } from "node:net";
import type { Container, Pod, PodSpec, Toleration, Volume } from "../../../model/pod.ts";
import { isAnyAddress } from "../../../model/published-ports.ts";
import { sameJson } from "../../../store/transaction.ts";
import { defaultPodSpec } from "../defaults.ts";
import { pathBelow, validateContainer } from "./container.ts";
import { duplicate, type FieldError, invalidValue, notAllowed, required, unsupported } from "./field-errors.ts";
import { validateLabels } from "./metadata.ts";
import { dnsLabel, dnsSubdomain } from "./names.ts";
import { notSupportedInPod } from "./not-supported.ts";
import { validatePlacement } from "./placement.ts";
import { negative } from "./probes.ts";
import { validateSize } from "./resources.ts";
import { keepsExclusive, validateUnreachableRule } from "./unreachable.ts";

const RESTART_POLICIES = ["Always", "OnFailure", "Never"] as const;
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"] as const;

export function validatePodSpec(spec: PodSpec | undefined, path = "spec"): readonly FieldError[] {
  if (!spec) return [required(`${path}.containers`)];
  return [
    ...validateVolumes(spec.volumes ?? [], `${path}.volumes`),
    ...validateContainers(spec, path),
    ...validatePolicies(spec, path),
    ...validatePlacement(spec, path),
    ...validateUnreachableRule(spec, path),
    ...validateDns(spec, path),
    ...notSupportedInPod(spec, path),
  ];
}

function validateContainers(spec: PodSpec, path: string): readonly FieldError[] {
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  const hostNetwork = spec.hostNetwork === true;
  const names = new Set<string>();
  const group = (containers: readonly Container[], field: string, isInit: boolean) =>
    containers.flatMap((container, at) => {
      const here = `${path}.${field}[${at}]`;
      const twice = container.name && names.has(container.name) ? [duplicate(`${here}.name`, container.name)] : [];
      names.add(container.name);
      return [...validateContainer(container, here, { volumes, hostNetwork, isInit }), ...twice];
    });
  return [
    ...(spec.containers?.length ? [] : [required(`${path}.containers`)]),
    ...group(spec.containers ?? [], "containers", false),
    ...group(spec.initContainers ?? [], "initContainers", true),
    ...validateHostPorts(spec, path),
  ];
}

/** Two containers of a pod cannot have one host port. */
function validateHostPorts(spec: PodSpec, path: string): readonly FieldError[] {
  const taken = new Set<string>();
  return (spec.containers ?? []).flatMap((container, at) =>
    (container.ports ?? []).flatMap((port, n) => {
      if (!port.hostPort) return [];
      const { hostIP = "" } = port;
      const id = `${port.protocol ?? "TCP"}/${isAnyAddress(hostIP) ? "" : hostIP}/${port.hostPort}`;
      const twice = taken.has(id);
      taken.add(id);
      return twice ? [duplicate(`${path}.containers[${at}].ports[${n}].hostPort`, port.hostPort)] : [];
    }),
  );
}

function validateVolumes(volumes: readonly Volume[], path: string): readonly FieldError[] {
  const names = new Set<string>();
  return volumes.flatMap((volume, at) => {
    const field = `${path}[${at}]`;
    const { name, ...sources } = volume;
    const given = Object.keys(sources);
    const errors: FieldError[] = name
      ? dnsLabel(name).map((why) => invalidValue(`${field}.name`, name, why))
      : [required(`${field}.name`)];
    if (name && names.has(name)) errors.push(duplicate(`${field}.name`, name));
    names.add(name);
    if (given.length === 0) errors.push(required(field, "must specify a volume type"));
    for (const other of given.slice(1)) {
      errors.push(notAllowed(`${field}.${other}`, "may not specify more than 1 volume type"));
    }
    return [...errors, ...validateSource(volume, field)];
  });
}

const HOST_PATH_TYPES = [
  "",
  "DirectoryOrCreate",
  "Directory",
  "FileOrCreate",
  "File",
  "Socket",
  "CharDevice",
  "BlockDevice",
] as const;

function validateSource({ hostPath, emptyDir, secret, configMap }: Volume, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (hostPath) {
    const field = `${path}.hostPath`;
    if (!hostPath.path) errors.push(required(`${field}.path`));
    else if (hostPath.path.split("/").includes("..")) {
      errors.push(invalidValue(`${field}.path`, hostPath.path, "must not contain '..'"));
    }
    if (hostPath.type && !(HOST_PATH_TYPES as readonly string[]).includes(hostPath.type)) {
      errors.push(unsupported(`${field}.type`, hostPath.type, HOST_PATH_TYPES.slice(1)));
    }
  }
  if (emptyDir?.sizeLimit !== undefined) errors.push(...validateSize(emptyDir.sizeLimit, `${path}.emptyDir.sizeLimit`));
  if (secret && !secret.secretName) errors.push(required(`${path}.secret.secretName`));
  if (configMap && !configMap.name) errors.push(required(`${path}.configMap.name`));
  for (const [field, source] of Object.entries({ secret, configMap })) {
    const { items = [], defaultMode } = source ?? {};
    errors.push(...validateMode(defaultMode, `${path}.${field}.defaultMode`));
    items.forEach((item, at) => {
      errors.push(...validateMode(item.mode, `${path}.${field}.items[${at}].mode`));
      if (!item.key) errors.push(required(`${path}.${field}.items[${at}].key`));
      if (!item.path) errors.push(required(`${path}.${field}.items[${at}].path`));
      else errors.push(...pathBelow(item.path, `${path}.${field}.items[${at}].path`));
    });
  }
  return errors;
}

/** Source: core/validation ValidatePodDNSConfig. */
function validateDns({ dnsPolicy, dnsConfig, shareProcessNamespace, hostPID }: PodSpec, path: string) {
  const { nameservers = [], searches = [] } = dnsConfig ?? {};
  const errors: FieldError[] = [];
  if (dnsPolicy === "None" && nameservers.length === 0) {
    const why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    errors.push(required(`${path}.dnsConfig.nameservers`, why));
  }
  if (nameservers.length > 3) {
    const why = "must not have more than 3 nameservers";
    errors.push(invalidValue(`${path}.dnsConfig.nameservers`, nameservers, why));
  }
  nameservers.forEach((server, at) => {
    const why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    if (isIP(server) === 0) errors.push(invalidValue(`${path}.dnsConfig.nameservers[${at}]`, server, why));
  });
  searches.forEach((search, at) => {
    const field = `${path}.dnsConfig.searches[${at}]`;
    errors.push(...dnsSubdomain(search.replace(/\.$/, "")).map((why) => invalidValue(field, search, why)));
  });
  if (shareProcessNamespace && hostPID) {
    const why = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalidValue(`${path}.shareProcessNamespace`, true, why));
  }
  return errors;
}

function validateMode(mode: number | undefined, field: string): readonly FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalidValue(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

function validatePolicies(spec: PodSpec, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { restartPolicy, dnsPolicy, activeDeadlineSeconds, terminationGracePeriodSeconds, hostname, subdomain } = spec;
  if (restartPolicy && !RESTART_POLICIES.includes(restartPolicy)) {
    errors.push(unsupported(`${path}.restartPolicy`, restartPolicy, RESTART_POLICIES));
  }
  if (dnsPolicy && !(DNS_POLICIES as readonly string[]).includes(dnsPolicy)) {
    errors.push(unsupported(`${path}.dnsPolicy`, dnsPolicy, DNS_POLICIES));
  }
  if (activeDeadlineSeconds !== undefined && !(activeDeadlineSeconds >= 1 && activeDeadlineSeconds < 2 ** 31)) {
    errors.push(
      invalidValue(
        `${path}.activeDeadlineSeconds`,
        activeDeadlineSeconds,
        "must be between 1 and 2147483647, inclusive",
      ),
    );
  }
  if (terminationGracePeriodSeconds !== undefined && terminationGracePeriodSeconds < 0) {
    errors.push(negative(`${path}.terminationGracePeriodSeconds`, terminationGracePeriodSeconds));
  }
  for (const [field, label] of Object.entries({ hostname, subdomain })) {
    if (label) errors.push(...dnsLabel(label).map((why) => invalidValue(`${path}.${field}`, label, why)));
  }
  const names = { nodeName: spec.nodeName, serviceAccountName: spec.serviceAccountName };
  for (const [field, name] of Object.entries(names)) {
    if (name) errors.push(...dnsSubdomain(name).map((why) => invalidValue(`${path}.${field}`, name, why)));
  }
  const { restartBackoff: backoff } = spec;
  if (backoff && !(backoff.initialMs >= 0 && backoff.factor >= 1 && backoff.maxMs >= backoff.initialMs)) {
    const why = "needs initialMs of at least 0, factor of at least 1 and maxMs not below initialMs";
    errors.push(invalidValue(`${path}.restartBackoff`, backoff, why));
  }
  return [...errors, ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`)];
}

/** What may change of a pod that exists: images, a shorter deadline, more tolerations. Source: core/validation ValidatePodUpdate. */
export function validatePodUpdate(after: Pod, before: Pod): readonly FieldError[] {
  const errors: FieldError[] = [...keepsExclusive(after, before)];
  const deadline = after.spec.activeDeadlineSeconds;
  const old = before.spec.activeDeadlineSeconds;
  if (old !== undefined && deadline === undefined) {
    errors.push(
      invalidValue("spec.activeDeadlineSeconds", null, "must not update from a positive integer to nil value"),
    );
  } else if (old !== undefined && deadline !== undefined && deadline > old) {
    errors.push(invalidValue("spec.activeDeadlineSeconds", deadline, `must be less than or equal to previous value`));
  }
  if (!keepsTolerations(after.spec.tolerations ?? [], before.spec.tolerations ?? [])) {
    errors.push(notAllowed("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"));
  }
  if (!sameJson(frozenPart(after.spec, before.spec), frozenPart(defaultPodSpec(before.spec), before.spec))) {
    errors.push(notAllowed("spec", FROZEN));
  }
  return errors;
}

const FROZEN =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

function keepsTolerations(after: readonly Toleration[], before: readonly Toleration[]): boolean {
  const same = ({ tolerationSeconds: _a, ...a }: Toleration, { tolerationSeconds: _b, ...b }: Toleration) =>
    sameJson(a, b);
  return before.every((old) => after.some((toleration) => same(toleration, old)));
}

/** The spec with what may change set to what it was. */
function frozenPart(spec: PodSpec, before: PodSpec): unknown {
  const withImages = (containers: readonly Container[] = [], old: readonly Container[] = []) =>
    containers.map((container, at) => ({ ...container, image: old[at]?.image }));
  const {
    activeDeadlineSeconds: _d,
    tolerations: _t,
    schedulingGates: _s,
    ...rest
  } = spec as PodSpec & {
    schedulingGates?: unknown;
  };
  return {
    ...rest,
    containers: withImages(spec.containers, before.containers),
    initContainers: withImages(spec.initContainers, before.initContainers),
  };
}
