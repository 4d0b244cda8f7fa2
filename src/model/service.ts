import { defineKind, type ObjectMeta } from "./meta.ts";

export interface ServicePort {
  readonly name?: string;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly port: number;
  readonly targetPort?: number | string;
  readonly nodePort?: number;
}

export interface Service {
  readonly apiVersion: string;
  readonly kind: "Service";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly ServicePort[];
    readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly externalName?: string;
    readonly sessionAffinity?: "None" | "ClientIP";
    readonly publishNotReadyAddresses?: boolean;
  };
  readonly status: { readonly loadBalancer?: object };
}

/** Indexes: the cluster address and the node ports (`TCP/30080`) that are taken. */
export const services = defineKind<Service>("Service", "v1", "namespaced", {
  clusterIP: ({ spec }) => (spec?.clusterIP && spec.clusterIP !== "None" ? [spec.clusterIP] : []),
  nodePort: ({ spec }) =>
    (spec?.ports ?? []).flatMap(({ nodePort, protocol = "TCP" }) => (nodePort ? [`${protocol}/${nodePort}`] : [])),
});
