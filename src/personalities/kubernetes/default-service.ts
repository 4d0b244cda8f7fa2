/** The defaults of Services, by their type. Source: Kubernetes' core/v1 SetDefaults_Service. Pure. */
import { AFFINITY_SECONDS, type Service, type ServicePort, type ServiceSpec } from "../../model/service.ts";

export function defaultService(service: Service): Service {
  const { sessionAffinityConfig: _c, ...spec } = service.spec ?? {};
  const type = spec.type || "ClusterIP";
  return {
    ...service,
    spec: {
      ...defaultsOf(type, spec),
      ...spec,
      type,
      ...defaultAffinity(service.spec ?? {}),
      ...(spec.ports === undefined ? {} : { ports: spec.ports.map(defaultServicePort) }),
    },
  };
}

function defaultsOf(type: NonNullable<ServiceSpec["type"]>, spec: ServiceSpec): object {
  return {
    ...(isReachedFromOutside({ ...spec, type }) ? { externalTrafficPolicy: "Cluster" } : {}),
    ...(type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: true } : {}),
    ...(type === "ExternalName"
      ? {}
      : { internalTrafficPolicy: "Cluster", ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" }),
  };
}

/** By node ports or by addresses of somebody else's. */
export function isReachedFromOutside({ type, externalIPs = [] }: ServiceSpec): boolean {
  return type === "NodePort" || type === "LoadBalancer" || (type !== "ExternalName" && externalIPs.length > 0);
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
