/** What joining and trust need of the store, shared by their routes. */
import { X509Certificate } from "node:crypto";
import { CLUSTER_TRUST_NAME, type ClusterTrust, clusterTrusts } from "../model/cluster-trust.ts";
import { ApiError } from "../model/errors.ts";
import { type HostCertificate, hostCertificateName, hostCertificates } from "../model/host-certificate.ts";
import { servers } from "../model/server.ts";
import type { Reader, Tx } from "../store/transaction.ts";
import type { StoreKit } from "../trust/join-messages.ts";
import { keyHashOf } from "../trust/key-hash.ts";
import { issuedAtOf } from "../trust/lifetimes.ts";

/** What a server gives to hosts that join, beside what lies in the store. */
export interface Joining {
  /** `https://HOST:PORT` that others reach this server at. */
  readonly url: string;
  /** What another server needs to open the same store; absent where the store is of one server. */
  readonly storeKit?: () => Promise<{ readonly store: StoreKit; readonly masterKey?: string }>;
}

/** Throws Unavailable while the leader has not written it down yet. */
export function trustOf(reader: Reader): ClusterTrust {
  const trust = reader.get(clusterTrusts, CLUSTER_TRUST_NAME);
  if (trust) return trust;
  throw new ApiError("Unavailable", "this cluster's CA is not in the store yet; try again in a moment", {
    retryAfterSeconds: 1,
  });
}

/** Of every server that has registered; else of the one that is asked. */
export function serverUrls(reader: Reader, joining: Pick<Joining, "url">): readonly string[] {
  const known = reader.list(servers).map(({ spec }) => spec.url);
  return [...new Set(known.length > 0 ? known : [joining.url])].sort();
}

export interface Certified {
  readonly role: "node" | "server";
  readonly host: string;
  readonly machineId?: string;
  readonly certPem: string;
  readonly issuedBy: string;
  readonly believes: readonly string[];
}

/** Writes down which certificate a host has now. */
export function recordCertificate(tx: Tx, certified: Certified): void {
  const { role, host, certPem, issuedBy, believes } = certified;
  const { serialNumber, validFrom, validTo } = new X509Certificate(certPem);
  const name = hostCertificateName(role, host);
  const before = tx.get(hostCertificates, name);
  const machineId = certified.machineId ?? before?.spec.machineId;
  const spec: HostCertificate["spec"] = {
    host,
    role,
    ...(machineId === undefined ? {} : { machineId }),
    serial: serialNumber.toLowerCase(),
    keyHash: keyHashOf(certPem),
    issuedBy,
    believes: [...believes].sort(),
    issuedAt: new Date(issuedAtOf({ validFrom })).toISOString(),
    expiresAt: new Date(Date.parse(validTo)).toISOString(),
  };
  if (before) tx.update(hostCertificates, { ...before, spec });
  else
    tx.create<HostCertificate>(hostCertificates, {
      apiVersion: hostCertificates.apiVersion,
      kind: "HostCertificate",
      metadata: { name },
      spec,
    });
}
