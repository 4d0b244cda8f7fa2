/** Certificates that are no longer taken, though a CA that is believed has signed them. Pure. */
import type { ClusterTrust, RefusedCertificates } from "../model/cluster-trust.ts";
import { issuedAtOf, LEAF_MS } from "./lifetimes.ts";

type Spec = ClusterTrust["spec"];
export type CertifiedRole = RefusedCertificates["role"];

/** The part of a certificate that is asked about. */
export interface Shown {
  readonly name: string;
  readonly roles: readonly string[];
  /** As X509Certificate has it. */
  readonly validFrom: string;
}

/** Why this certificate is not taken; undefined when it is. */
export function refusalOf({ refused = [] }: Pick<Spec, "refused">, shown: Shown): string | undefined {
  const issuedAtMs = issuedAtOf(shown);
  return refused.find(
    ({ name, role, before }) => name === shown.name && shown.roles.includes(role) && issuedAtMs < Date.parse(before),
  )?.why;
}

/** All certificates of that name and role up to now. Entries that outlived every certificate they meant are left out. */
export function refuse(spec: Spec, name: string, role: CertifiedRole, nowMs: number, why: string): Spec {
  const before = new Date(nowMs + 1).toISOString();
  const kept = (spec.refused ?? []).filter(
    (one) => !(one.name === name && one.role === role) && nowMs - Date.parse(one.before) < LEAF_MS,
  );
  return { ...spec, refused: [...kept, { name, role, before, why }] };
}

/**
 * When a new certificate counts as issued: now, or as soon after as it is told from those that are refused. Certificates know
 * whole seconds only.
 */
export function issuedAtFor(
  { refused = [] }: Pick<Spec, "refused">,
  name: string,
  role: string,
  nowMs: number,
): number {
  const mine = refused.filter((one) => one.name === name && one.role === role).map(({ before }) => Date.parse(before));
  return Math.max(nowMs, ...mine.map((beforeMs) => Math.ceil(beforeMs / 1000) * 1000));
}
