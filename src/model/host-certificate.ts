import { defineKind, type ObjectMeta } from "./meta.ts";

/** The newest certificate of a host of the cluster, in one of its roles; named `node.NAME` or `server.NAME`. Holds no key. */
export interface HostCertificate {
  readonly apiVersion: string;
  readonly kind: "HostCertificate";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly host: string;
    readonly role: "node" | "server";
    /** machine-id(5) of the host that it was issued to. */
    readonly machineId?: string;
    readonly serial: string;
    /** SHA-256 of its public key, in hex; certificates that older versions wrote down have none. */
    readonly keyHash?: string;
    /** SHA-256 of the CA's public key, in hex. */
    readonly issuedBy: string;
    /** The same of every CA that the host has said it believes. */
    readonly believes: readonly string[];
    /** RFC 3339. */
    readonly issuedAt: string;
    readonly expiresAt: string;
  };
}

export const hostCertificates = defineKind<HostCertificate>(
  "HostCertificate",
  "styrmann.dev/v1",
  "cluster",
  { machine: ({ spec }) => (spec.machineId === undefined ? [] : [spec.machineId]) },
  { isHidden: true },
);

export function hostCertificateName(role: HostCertificate["spec"]["role"], host: string): string {
  return `${role}.${host}`;
}
