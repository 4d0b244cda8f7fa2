/** What a ClusterTrust says, and how one CA takes another's place. Pure. docs/security.md, "Changing the CA". */
import type { ClusterNews } from "../model/cluster-news.ts";
import type { Authority, ClusterTrust } from "../model/cluster-trust.ts";
import type { HostCertificate } from "../model/host-certificate.ts";
import { keyHashOf } from "./key-hash.ts";

type Spec = ClusterTrust["spec"];
type Certified = HostCertificate["spec"];

/** The one that signs. */
export function signerOf({ authorities }: Spec): Authority {
  const [first] = authorities;
  if (!first) throw new Error("the cluster's trust names no CA; restore the store from a backup");
  return first;
}

/** PEM of all that are believed, the one that signs first. */
export function bundleOf({ authorities }: Spec): string {
  return authorities.map(({ certPem }) => certPem).join("");
}

export function believedHashes({ authorities }: Spec): readonly string[] {
  return authorities.map(({ certPem }) => keyHashOf(certPem));
}

/** What agents and servers are told; `servers` are `https://HOST:PORT`. */
export function newsOf(spec: Spec, servers: readonly string[]): ClusterNews {
  return {
    clusterId: spec.clusterId,
    servers: [...servers].sort(),
    caPem: bundleOf(spec),
    signingCa: keyHashOf(signerOf(spec).certPem),
  };
}

/** The new CA comes second: it is believed before it signs. */
export function beginRotation(spec: Spec, fresh: Authority, startedAt: string, by: string): Spec {
  return { ...spec, authorities: [signerOf(spec), fresh], rotation: { step: "believe", startedAt, by } };
}

export interface RotationStep {
  readonly spec: Spec;
  /** What has happened, for people. */
  readonly words: string;
}

/** The next step of a rotation, once nobody has to be waited for; undefined while somebody has, and when there is none. */
export function stepRotation(spec: Spec, hosts: readonly Certified[], nowMs: number): RotationStep | undefined {
  if (!spec.rotation || waitedFor(spec, hosts, nowMs).length > 0) return undefined;
  if (spec.rotation.step === "renew") return { spec: withoutOld(spec), words: "the old CA is no longer believed" };
  return { spec: newOneSigns(spec), words: "every host believes the new CA: it signs from now on" };
}

/** All remaining steps at once. Who is waited for then is locked out. */
export function endRotation(spec: Spec): Spec {
  return withoutOld(spec.rotation?.step === "believe" ? newOneSigns(spec) : spec);
}

export interface Awaited {
  readonly host: Certified;
  /** Then nobody waits for it any more. */
  readonly untilMs: number;
}

/**
 * The hosts that the present step waits for. A node whose certificate has run out has to join again in any case; a server that
 * comes back later finds all of it in the store.
 */
export function waitedFor(spec: Spec, hosts: readonly Certified[], nowMs: number): readonly Awaited[] {
  const { rotation, authorities } = spec;
  if (!rotation) return [];
  const fresh = rotation.step === "believe" ? authorities[1] : authorities[0];
  const hash = fresh ? keyHashOf(fresh.certPem) : "";
  const isThere = (host: Certified) =>
    rotation.step === "believe" ? host.believes.includes(hash) : host.issuedBy === hash;
  return hosts
    .filter((host) => !isThere(host))
    .map((host) => ({ host, untilMs: untilMs(host, rotation) }))
    .filter((one) => one.untilMs > nowMs)
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

const SERVERS_WAIT_MS = 600_000;

function untilMs({ role, expiresAt }: Certified, { startedAt }: NonNullable<Spec["rotation"]>): number {
  const endMs = Date.parse(expiresAt);
  return role === "server" ? Math.min(endMs, Date.parse(startedAt) + SERVERS_WAIT_MS) : endMs;
}

function nameOf({ host }: Awaited): string {
  return `${host.host} ${host.role}`;
}

function newOneSigns(spec: Spec): Spec {
  const { rotation } = spec;
  if (!rotation) return spec;
  return { ...spec, authorities: spec.authorities.toReversed(), rotation: { ...rotation, step: "renew" } };
}

function withoutOld(spec: Spec): Spec {
  const { rotation: _ended, ...rest } = spec;
  return { ...rest, authorities: [signerOf(spec)] };
}
