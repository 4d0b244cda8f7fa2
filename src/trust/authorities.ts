/** What a ClusterTrust says, and how one CA takes another's place. Pure. docs/security.md, "Changing the CA". */
import type { ClusterNews } from "../model/cluster-news.ts";
import type { Authority, ClusterTrust } from "../model/cluster-trust.ts";
import type { HostCertificate } from "../model/host-certificate.ts";
import { keyHashOf } from "./key-hash.ts";

type Spec = ClusterTrust["spec"];
type Certified = HostCertificate["spec"];

/** A host's certificate, and whether its agent has ever come: one that never did renews nothing. */
export interface HostInChange extends Certified {
  readonly hasAgent: boolean;
}

export function hostsInChange(
  all: readonly HostCertificate[],
  hasNode: (name: string) => boolean,
): readonly HostInChange[] {
  return all.map(({ spec }) => ({ ...spec, hasAgent: spec.role === "node" && hasNode(spec.host) }));
}

/** The one that signs. */
export function signerOf({ authorities }: Spec): Authority {
  const [first] = authorities;
  if (!first) throw new Error("the cluster's trust names no CA; restore the store from a backup");
  return first;
}

/** By which people tell one CA from another. */
export function caOf(spec: Spec): { readonly hash: string; readonly madeAt: string } {
  const { certPem, madeAt } = signerOf(spec);
  return { hash: keyHashOf(certPem), madeAt };
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
export function stepRotation(spec: Spec, hosts: readonly HostInChange[], nowMs: number): RotationStep | undefined {
  if (!spec.rotation || waitedFor(spec, hosts, nowMs).length > 0) return undefined;
  if (spec.rotation.step === "renew") return { spec: withoutOld(spec), words: OLD_IS_GONE };
  return { spec: newOneSigns(spec), words: "every host believes the new CA: it signs from now on" };
}

const OLD_IS_GONE =
  "the old CA is no longer believed; make a new backup (styr backup FILE): restored from an older one, the control plane would have the old CA, and no host would come back";

/** Nobody waits for these hosts any more: nodes of them that do not come back before the change is over have to join again. */
export function giveUp(spec: Spec, hosts: readonly string[]): Spec {
  const { rotation } = spec;
  if (!rotation || hosts.length === 0) return spec;
  return { ...spec, rotation: { ...rotation, givenUp: [...new Set([...(rotation.givenUp ?? []), ...hosts])].sort() } };
}

/** The nodes among those given up that have no certificate of the new CA. */
export function lockedOut(
  { rotation, authorities }: Spec,
  hosts: readonly Certified[],
  nowMs: number,
): readonly string[] {
  const fresh = rotation?.step === "believe" ? authorities[1] : authorities[0];
  const hash = fresh ? keyHashOf(fresh.certPem) : "";
  const isOut = ({ host, role, issuedBy, expiresAt }: Certified) =>
    role === "node" && issuedBy !== hash && Date.parse(expiresAt) > nowMs && rotation?.givenUp?.includes(host);
  return hosts.flatMap((one) => (isOut(one) ? [one.host] : [])).sort();
}

export interface Awaited {
  readonly host: Certified;
  /** Then nobody waits for it any more. */
  readonly untilMs: number;
}

/**
 * The hosts that the present step waits for, without those that a person gave up. A node whose certificate has run out has to join again in any case; a server that
 * comes back later finds all of it in the store.
 */
export function waitedFor(spec: Spec, hosts: readonly HostInChange[], nowMs: number): readonly Awaited[] {
  const { rotation, authorities } = spec;
  if (!rotation) return [];
  const fresh = rotation.step === "believe" ? authorities[1] : authorities[0];
  const hash = fresh ? keyHashOf(fresh.certPem) : "";
  const isThere = (host: Certified) =>
    rotation.givenUp?.includes(host.host) ||
    (rotation.step === "believe" ? host.believes.includes(hash) : host.issuedBy === hash);
  return hosts
    .filter((host) => !isThere(host))
    .map((host) => ({ host, untilMs: untilMs(host, rotation) }))
    .filter((one) => one.untilMs > nowMs)
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

const SERVERS_WAIT_MS = 600_000;
/** From joining to the first word of the agent. Where a server was joined without one, that never comes. */
const FIRST_WORD_MS = 600_000;

function untilMs(host: HostInChange, { startedAt }: NonNullable<Spec["rotation"]>): number {
  const endMs = Date.parse(host.expiresAt);
  if (host.role === "server") return Math.min(endMs, Date.parse(startedAt) + SERVERS_WAIT_MS);
  return host.hasAgent ? endMs : Math.min(endMs, Date.parse(host.issuedAt) + FIRST_WORD_MS);
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
