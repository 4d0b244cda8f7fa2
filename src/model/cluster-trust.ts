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
    /** Under way while two are believed. */
    readonly rotation?: CaRotation;
    /** Whose certificates are no longer taken, though a CA that is believed has signed them. */
    readonly refused?: readonly RefusedCertificates[];
  };
}

/**
 * How one CA takes another's place. `believe`: the new one comes second, until every host believes it; `renew`: it signs, until
 * every host has a certificate of it. Then the old one goes.
 */
export interface CaRotation {
  readonly step: "believe" | "renew";
  /** RFC 3339. */
  readonly startedAt: string;
  readonly by: string;
  /** Hosts that a person does not wait for, sorted. */
  readonly givenUp?: readonly string[];
}

/** Every certificate of this name and role that was issued before that moment. */
export interface RefusedCertificates {
  readonly name: string;
  readonly role: "node" | "server" | "admin";
  /** RFC 3339. */
  readonly before: string;
  readonly why: string;
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
