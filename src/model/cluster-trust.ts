import { defineKind, type ObjectMeta } from "./meta.ts";

/** The cluster's certificate authorities; one object, named `cluster`. Its keys are why the kind is sealed. */
export interface ClusterTrust {
  readonly apiVersion: string;
  readonly kind: "ClusterTrust";
  readonly metadata: ObjectMeta;
  readonly spec: {
    /** Made once, when the cluster was begun. */
    readonly clusterId: string;
    /** All that are believed; the first one signs. During a rotation there are two. */
    readonly authorities: readonly Authority[];
  };
}

export interface Authority {
  readonly certPem: string;
  readonly keyPem: string;
  readonly madeAt: string;
}

export const CLUSTER_TRUST_NAME = "cluster";

export const clusterTrusts = defineKind<ClusterTrust>(
  "ClusterTrust",
  "styrmann.dev/v1",
  "cluster",
  {},
  { isSealed: true, isHidden: true },
);
