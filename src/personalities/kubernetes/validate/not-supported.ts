/**
 * Fields of Kubernetes that are refused, because a pod without what they ask for would be another pod. What is stored and has no effect, because
 * nothing is lost with it, is listed in docs/compatibility.md.
 */
import type { Container, PodSpec } from "../../../model/pod.ts";
import { type FieldError, notAllowed } from "./field-errors.ts";

type Anything = Readonly<Record<string, unknown>>;

/** Refused whatever they say. */
const OF_PODS = [
  ...["ephemeralContainers", "evictionResponders", "hostnameOverride", "overhead", "resourceClaims", "resources"],
  ...["runtimeClassName", "schedulingGates", "schedulingGroup"],
] as const;
const OF_CONTAINERS = ["restartPolicyRules", "volumeDevices"] as const;
const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
const OF_SECURITY = ["seLinuxOptions", "windowsOptions"] as const;

export function notSupportedInPod(spec: PodSpec, path: string): readonly FieldError[] {
  const given = spec as unknown as Anything;
  const os = (given.os as Anything | undefined)?.name;
  const containers = (list: readonly Container[] | undefined, field: string) =>
    (list ?? []).flatMap((container, at) => notSupportedInContainer(container, `${path}.${field}[${at}]`));
  return [
    ...present(given, OF_PODS, path),
    ...refuseIf(given.hostUsers === false, `${path}.hostUsers`),
    ...refuseIf(given.setHostnameAsFQDN === true, `${path}.setHostnameAsFQDN`),
    ...refuseIf(os !== undefined && os !== "linux", `${path}.os.name`),
    ...notSupportedInSecurity(spec.securityContext, `${path}.securityContext`),
    ...containers(spec.containers, "containers"),
    ...containers(spec.initContainers, "initContainers"),
  ];
}

function notSupportedInContainer(container: Container, path: string): readonly FieldError[] {
  return [
    ...present(container as unknown as Anything, OF_CONTAINERS, path),
    ...PROBES.flatMap((name) =>
      refuseIf((container[name] as Anything | undefined)?.grpc !== undefined, `${path}.${name}.grpc`),
    ),
    ...(container.volumeMounts ?? []).flatMap((mount, at) => {
      const { subPathExpr, mountPropagation } = mount as unknown as Anything;
      const here = `${path}.volumeMounts[${at}]`;
      return [
        ...refuseIf(Boolean(subPathExpr), `${here}.subPathExpr`),
        ...refuseIf(Boolean(mountPropagation) && mountPropagation !== "None", `${here}.mountPropagation`),
      ];
    }),
    ...(container.env ?? []).flatMap(({ valueFrom }, at) =>
      refuseIf(
        (valueFrom as Anything | undefined)?.fileKeyRef !== undefined,
        `${path}.env[${at}].valueFrom.fileKeyRef`,
      ),
    ),
    ...notSupportedInSecurity(container.securityContext, `${path}.securityContext`),
  ];
}

/** RuntimeDefault is what Docker does; anything else would be a promise about protection that nobody keeps. */
function notSupportedInSecurity(security: object | undefined, path: string): readonly FieldError[] {
  const given = (security ?? {}) as Anything;
  const profile = (field: string) => {
    const type = (given[field] as Anything | undefined)?.type;
    return refuseIf(type !== undefined && type !== "RuntimeDefault", `${path}.${field}.type`);
  };
  return [
    ...present(given, OF_SECURITY, path),
    ...profile("seccompProfile"),
    ...profile("appArmorProfile"),
    ...refuseIf(Boolean(given.procMount) && given.procMount !== "Default", `${path}.procMount`),
  ];
}

function present(given: Anything, fields: readonly string[], path: string): readonly FieldError[] {
  return fields.flatMap((field) => {
    const value = given[field];
    const isEmpty =
      value === undefined ||
      value === null ||
      value === "" ||
      (typeof value === "object" && Object.keys(value).length === 0);
    return refuseIf(!isEmpty, `${path}.${field}`);
  });
}

function refuseIf(condition: boolean, field: string): readonly FieldError[] {
  return condition ? [notAllowed(field, "not supported")] : [];
}
