import { defineKind, type ObjectMeta } from "./meta.ts";

/** discovery.k8s.io/v1. Conditions that are absent: ready and serving count as true, terminating as false. */
export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly targetRef?: {
    readonly kind?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
  };
  readonly hints?: {
    readonly forZones?: readonly { readonly name: string }[];
    readonly forNodes?: readonly { readonly name: string }[];
  };
}

export interface SlicePort {
  readonly name?: string;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly port?: number;
  readonly appProtocol?: string;
}

/** At most 100 endpoints of a Service, which the label SERVICE_LABEL names. */
export interface EndpointSlice {
  readonly apiVersion: string;
  readonly kind: "EndpointSlice";
  readonly metadata: ObjectMeta;
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly endpoints: readonly SliceEndpoint[];
  readonly ports?: readonly SlicePort[];
}

export const SERVICE_LABEL = "kubernetes.io/service-name";
export const SLICE_MANAGER_LABEL = "endpointslice.kubernetes.io/managed-by";

/** Index `service`: slices of a Service, `namespace/name`. */
export const endpointSlices = defineKind<EndpointSlice>("EndpointSlice", "discovery.k8s.io/v1", "namespaced", {
  service: ({ metadata }) => {
    const name = metadata.labels?.[SERVICE_LABEL];
    return name === undefined ? [] : [`${metadata.namespace}/${name}`];
  },
});
