/** The defaults of Services, by their type. Source: Kubernetes' core/v1 SetDefaults_Service. Pure. */

import { AFFINITY_SECONDS, type Service, type ServicePort, type ServiceSpec } from "../../model/service.ts";
import { sameJson } from "../../store/transaction.ts";

export function defaultService(service: Service): Service {
  const { sessionAffinityConfig: _c, ...spec } = service.spec ?? {};
  const type = spec.type || "ClusterIP";
  return {
    ...service,
    spec: {
      ...defaultsOf(type),
      ...spec,
      type,
      ...defaultAffinity(service.spec ?? {}),
      ...(spec.ports === undefined ? {} : { ports: spec.ports.map(defaultServicePort) }),
    },
  };
}

function defaultsOf(type: string): object {
  return {
    ...(isReachedFromOutside(type) ? { externalTrafficPolicy: "Cluster" } : {}),
    ...(type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: true } : {}),
    ...(type === "ExternalName"
      ? {}
      : { internalTrafficPolicy: "Cluster", ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" }),
  };
}

/** At ports of every node. */
export function isReachedFromOutside(type: string | undefined): boolean {
  return type === "NodePort" || type === "LoadBalancer";
}

/** What says how long affinity lasts means nothing without it. */
function defaultAffinity({
  sessionAffinity,
  sessionAffinityConfig,
}: ServiceSpec): Pick<ServiceSpec, "sessionAffinity" | "sessionAffinityConfig"> {
  if (!sessionAffinity || sessionAffinity === "None") return { sessionAffinity: "None" };
  if (sessionAffinity !== "ClientIP")
    return { sessionAffinity, ...(sessionAffinityConfig ? { sessionAffinityConfig } : {}) };
  const timeoutSeconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS;
  return { sessionAffinity, sessionAffinityConfig: { clientIP: { timeoutSeconds } } };
}

function defaultServicePort(port: ServicePort): ServicePort {
  const targetPort =
    port.targetPort === undefined || port.targetPort === "" || port.targetPort === 0 ? port.port : port.targetPort;
  return { ...port, protocol: port.protocol || "TCP", targetPort };
}

/**
 * Another type has other fields. What came along from the type before, unchanged, is taken out instead of refused: `kubectl patch` with
 * nothing but a type means that. Source: pkg/registry/core/service/strategy.go dropTypeDependentFields.
 */
export function dropFieldsOfOldType(after: Service, before: Service): Service {
  const { type } = after.spec ?? {};
  if (!after.spec || type === before.spec.type) return after;
  const gone: (keyof ServiceSpec)[] = [];
  if (type === "ExternalName") gone.push("clusterIP", "clusterIPs", "internalTrafficPolicy", ...FAMILIES);
  if (!isReachedFromOutside(type)) gone.push("externalTrafficPolicy");
  if (type !== "LoadBalancer") gone.push("allocateLoadBalancerNodePorts");
  if (before.spec.type === "ExternalName") gone.push("externalName");
  const unchanged = gone.filter((field) => sameJson(after.spec[field], before.spec[field]));
  const spec = Object.fromEntries(
    Object.entries(after.spec).filter(([key]) => !unchanged.some((name) => name === key)),
  );
  return { ...after, spec: { ...spec, ...withoutOldNodePorts(after, before) } };
}

const FAMILIES = ["ipFamilies", "ipFamilyPolicy"] as unknown as readonly (keyof ServiceSpec)[];

function withoutOldNodePorts({ spec: { type, ports } }: Service, before: Service): Pick<ServiceSpec, "ports"> {
  if (ports === undefined || isReachedFromOutside(type)) return {};
  const old = new Set(before.spec.ports?.map(({ nodePort }) => nodePort));
  const kept = ports.map((port): ServicePort => {
    if (!old.has(port.nodePort)) return port;
    const { nodePort: _n, ...rest } = port;
    return rest;
  });
  return { ports: kept };
}

/** One of the two spellings of the cluster address was changed: the other follows. Source: NormalizeClusterIPs in pkg/registry/core/service. */
export function withOneAddress(after: Service, before: Service): Service {
  const { clusterIP = "", clusterIPs = [], ...spec } = after.spec ?? {};
  if (clusterIPs.length === 0 || clusterIPs[0] === clusterIP) return after;
  const isOld = sameJson(clusterIPs, before.spec.clusterIPs);
  if (isOld)
    return { ...after, spec: { ...spec, ...(clusterIP === "" ? {} : { clusterIP, clusterIPs: [clusterIP] }) } };
  return clusterIP === before.spec.clusterIP
    ? { ...after, spec: { ...spec, clusterIPs, clusterIP: clusterIPs[0] ?? "" } }
    : after;
}
