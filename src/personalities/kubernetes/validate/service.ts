/** Source: pkg/apis/core/validation ValidateService. What is refused although Kubernetes has it says so in its own words. */
import type { Service, ServicePort, ServiceSpec } from "../../../model/service.ts";
import { sameJson } from "../../../store/transaction.ts";
import { isReachedFromOutside } from "../default-service.ts";
import {
  duplicate,
  type FieldError,
  immutable,
  invalidValue,
  notAllowed,
  required,
  unsupported,
} from "./field-errors.ts";
import { validateLabels } from "./metadata.ts";
import { dnsLabel, dnsSubdomain, qualifiedName } from "./names.ts";
import { validatePort, validatePortReference } from "./probes.ts";

const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"] as const;
const AFFINITIES = ["ClientIP", "None"] as const;
const PROTOCOLS = ["SCTP", "TCP", "UDP"] as const;
const POLICIES = ["Cluster", "Local"] as const;
const DISTRIBUTIONS = ["PreferClose", "PreferSameNode", "PreferSameZone"] as const;
const LONGEST_AFFINITY_SECONDS = 86_400;

export function validateService({ spec = {} }: Service): readonly FieldError[] {
  const { type = "ClusterIP", sessionAffinity, ports = [] } = spec;
  return [
    ...oneOf("spec.type", type, TYPES),
    ...validateAddress(spec),
    ...oneOf("spec.sessionAffinity", sessionAffinity, AFFINITIES),
    ...validateAffinitySeconds(spec),
    ...validateTraffic(spec),
    ...validateLabels(spec.selector, "spec.selector"),
    ...validatePorts(ports, type),
  ];
}

function oneOf(field: string, value: string | undefined, values: readonly string[]): readonly FieldError[] {
  return value && !values.includes(value) ? [unsupported(field, value, values)] : [];
}

function validateAddress(spec: ServiceSpec): readonly FieldError[] {
  const { type, clusterIP = "", clusterIPs = [], externalName, ports = [] } = spec;
  if (type === "ExternalName") return validateExternalName(clusterIP, externalName);
  const errors: FieldError[] = [];
  if (ports.length === 0 && clusterIP !== "None") errors.push(required("spec.ports"));
  if (clusterIP === "None" && (type === "NodePort" || type === "LoadBalancer"))
    errors.push(invalidValue("spec.clusterIPs[0]", clusterIP, `may not be set to 'None' for ${type} services`));
  if (clusterIPs.length > 0 && clusterIP === "")
    errors.push(invalidValue("spec.clusterIPs", clusterIPs, "must be empty when `clusterIP` is not specified"));
  else if (clusterIPs.length > 0 && clusterIPs[0] !== clusterIP)
    errors.push(invalidValue("spec.clusterIPs", clusterIPs, "first value must match `clusterIP`"));
  return errors;
}

function validateExternalName(clusterIP: string, externalName: string | undefined): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (clusterIP) errors.push(notAllowed("spec.clusterIPs[0]", "may not be set when `type` is 'ExternalName'"));
  if (!externalName) return [...errors, required("spec.externalName")];
  const problems = dnsSubdomain(externalName.replace(/\.$/, ""));
  return [...errors, ...problems.map((why) => invalidValue("spec.externalName", externalName, why))];
}

function validateAffinitySeconds({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): readonly FieldError[] {
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (sessionAffinity !== "ClientIP" || seconds === undefined) return [];
  if (seconds > 0 && seconds <= LONGEST_AFFINITY_SECONDS) return [];
  const why = `must be greater than 0 and less than or equal to ${LONGEST_AFFINITY_SECONDS}`;
  return [invalidValue("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, why)];
}

function validateTraffic(spec: ServiceSpec): readonly FieldError[] {
  const { type, externalTrafficPolicy, allocateLoadBalancerNodePorts } = spec;
  const errors = [
    ...oneOf("spec.externalTrafficPolicy", externalTrafficPolicy, POLICIES),
    ...oneOf("spec.internalTrafficPolicy", spec.internalTrafficPolicy, POLICIES),
    ...oneOf("spec.trafficDistribution", spec.trafficDistribution, DISTRIBUTIONS),
  ];
  if (externalTrafficPolicy && !isReachedFromOutside(type))
    errors.push(
      invalidValue(
        "spec.externalTrafficPolicy",
        externalTrafficPolicy,
        "may only be set for externally-accessible services",
      ),
    );
  if (allocateLoadBalancerNodePorts !== undefined && type !== "LoadBalancer")
    errors.push(notAllowed("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"));
  return errors;
}

type Families = { readonly ipFamilies?: readonly string[]; readonly ipFamilyPolicy?: string };

/** The pod network speaks IPv4. */
function validateFamilies(spec: ServiceSpec): readonly FieldError[] {
  const { ipFamilies = [], ipFamilyPolicy } = spec as Families;
  const errors = ipFamilies.flatMap((family, at) =>
    family === "IPv4" ? [] : [invalidValue(`spec.ipFamilies[${at}]`, family, "not configured on this cluster")],
  );
  if (ipFamilyPolicy !== "RequireDualStack") return errors;
  const why = "this cluster is not configured for dual-stack services";
  return [...errors, invalidValue("spec.ipFamilyPolicy", ipFamilyPolicy, why)];
}

const UNSERVED = ["ipFamilies", "ipFamilyPolicy", "externalIPs", "loadBalancerSourceRanges"] as const;

/**
 * What is not done here, where it is asked for anew: an earlier version took it, and what it stored may be changed otherwise.
 * `before`: absent at creation.
 */
export function refuseUnserved(after: Service, before: Service | undefined): readonly FieldError[] {
  const asked = UNSERVED.filter((field) => !before || !sameJson(fieldOf(after, field), fieldOf(before, field)));
  const spec = Object.fromEntries(asked.map((field) => [field, fieldOf(after, field)]));
  return [...validateFamilies(spec), ...refuseUnsupported(spec)];
}

function fieldOf({ spec }: Service, field: string): unknown {
  return (spec as Readonly<Record<string, unknown>>)[field];
}

/** Whoever may write a Service could draw anybody's traffic to himself with the one; the other would be a promise of protection. */
function refuseUnsupported(spec: ServiceSpec): readonly FieldError[] {
  const { loadBalancerSourceRanges = [] } = spec as { readonly loadBalancerSourceRanges?: readonly string[] };
  return [
    ...((spec.externalIPs ?? []).length > 0 ? [notAllowed("spec.externalIPs", "not supported")] : []),
    ...(loadBalancerSourceRanges.length > 0
      ? [
          notAllowed(
            "spec.loadBalancerSourceRanges",
            "not supported; a NetworkPolicy with `ipBlock` says from where pods are reached",
          ),
        ]
      : []),
  ];
}

function validatePorts(ports: readonly ServicePort[], type: string): readonly FieldError[] {
  const seen = { names: new Set<string>(), pairs: new Set<string>(), nodePorts: new Set<string>() };
  return ports.flatMap((port, at) => {
    const field = `spec.ports[${at}]`;
    const { protocol = "TCP" } = port;
    const errors = [
      ...validatePortName(port, ports.length, seen.names, `${field}.name`),
      ...(port.port === undefined ? [required(`${field}.port`)] : validatePort(port.port, `${field}.port`)),
      ...oneOf(`${field}.protocol`, protocol, PROTOCOLS),
      ...(port.targetPort === undefined ? [] : validatePortReference(port.targetPort, `${field}.targetPort`)),
      ...(port.appProtocol === undefined
        ? []
        : qualifiedName(port.appProtocol).map((why) => invalidValue(`${field}.appProtocol`, port.appProtocol, why))),
      ...validateNodePort(port, type, seen.nodePorts, `${field}.nodePort`),
    ];
    const pair = `${protocol}/${port.port}`;
    if (seen.pairs.has(pair)) errors.push(duplicate(field, { protocol, port: port.port }));
    seen.pairs.add(pair);
    return errors;
  });
}

function validatePortName(
  { name }: ServicePort,
  count: number,
  names: Set<string>,
  field: string,
): readonly FieldError[] {
  if (!name) return count > 1 ? [required(field)] : [];
  const errors = dnsLabel(name).map((why) => invalidValue(field, name, why));
  if (names.has(name)) errors.push(duplicate(field, name));
  names.add(name);
  return errors;
}

function validateNodePort(
  { nodePort, protocol = "TCP" }: ServicePort,
  type: string,
  nodePorts: Set<string>,
  field: string,
): readonly FieldError[] {
  if (!nodePort) return [];
  if (!isReachedFromOutside(type)) return [notAllowed(field, `may not be used when \`type\` is '${type}'`)];
  const id = `${protocol}/${nodePort}`;
  const isTwice = nodePorts.has(id);
  nodePorts.add(id);
  return isTwice ? [duplicate(field, nodePort)] : [];
}

/** An address stays with its Service until that no longer wants one. */
export function validateServiceUpdate(after: Service, before: Service): readonly FieldError[] {
  const { clusterIP, type } = after.spec;
  if (type === "ExternalName" || !before.spec.clusterIP || before.spec.type === "ExternalName") return [];
  return clusterIP === before.spec.clusterIP ? [] : [immutable("spec.clusterIP", clusterIP)];
}
