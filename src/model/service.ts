import { labelPair } from "./label-pair.ts";
import { defineKind, type ObjectMeta } from "./meta.ts";

export interface ServicePort {
  readonly name?: string;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly port: number;
  readonly targetPort?: number | string;
  readonly nodePort?: number;
  readonly appProtocol?: string;
}

/** core/v1. */
export interface Service {
  readonly apiVersion: string;
  readonly kind: "Service";
  readonly metadata: ObjectMeta;
  readonly spec: ServiceSpec;
  readonly status: { readonly loadBalancer?: object };
}

export interface ServiceSpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly ServicePort[];
  readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly externalName?: string;
  /** Addresses of somebody else's that lead here when they arrive at a node. */
  readonly externalIPs?: readonly string[];
  readonly sessionAffinity?: "None" | "ClientIP";
  readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } };
  readonly externalTrafficPolicy?: "Cluster" | "Local";
  readonly internalTrafficPolicy?: "Cluster" | "Local";
  readonly trafficDistribution?: "PreferClose" | "PreferSameZone" | "PreferSameNode";
  readonly allocateLoadBalancerNodePorts?: boolean;
  readonly healthCheckNodePort?: number;
  readonly publishNotReadyAddresses?: boolean;
}

/**
 * Indexes: the cluster address, the node ports (`TCP/30080`) that are taken, and `selector`: of the selector's pairs the first by name
 * (labelPair), so that the Services that may pick a pod are found by its labels.
 */
export const services = defineKind<Service>("Service", "v1", "namespaced", {
  clusterIP: ({ spec }) => (spec?.clusterIP && spec.clusterIP !== "None" ? [spec.clusterIP] : []),
  nodePort: ({ spec }) =>
    (spec?.ports ?? []).flatMap(({ nodePort, protocol = "TCP" }) => (nodePort ? [`${protocol}/${nodePort}`] : [])),
  selector: ({ metadata, spec }) => {
    const [key] = Object.keys(spec?.selector ?? {}).sort();
    return key === undefined ? [] : [labelPair(metadata.namespace ?? "", key, spec.selector?.[key] ?? "")];
  },
});

/** Pods are looked for by the selector; an empty one picks nobody, as does that of a name for another place. */
export function selectsPods({ spec }: Service): boolean {
  return spec.type !== "ExternalName" && Object.keys(spec.selector ?? {}).length > 0;
}

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === "None";
}

/** Kubernetes' older way to ask for endpoints nearby; its own name before that is read as well. */
const TOPOLOGY_MODE = ["service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"];

/** Whether endpoints nearby are to be taken before others. */
export function preferenceOf({ metadata, spec }: Service): "same-node" | "same-zone" | undefined {
  switch (spec.trafficDistribution) {
    case "PreferSameNode":
      return "same-node";
    case "PreferClose":
    case "PreferSameZone":
      return "same-zone";
    default: {
      const mode = TOPOLOGY_MODE.map((key) => metadata.annotations?.[key]).find((value) => value !== undefined);
      return mode?.toLowerCase() === "auto" ? "same-zone" : undefined;
    }
  }
}

/** Three hours, as Kubernetes has it. */
export const AFFINITY_SECONDS = 10_800;

/** For how long after its last packet a client goes to the same endpoint; undefined: every connection by itself. */
export function affinitySecondsOf({ spec }: Service): number | undefined {
  if (spec.sessionAffinity !== "ClientIP") return undefined;
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS;
}
