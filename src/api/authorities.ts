/** /styr/v1/ca: which CAs are believed, changing them, and taking certificates back. */

import { X509Certificate } from "node:crypto";
import type { Route } from "../http/route.ts";
import { type ClusterTrust, clusterTrusts } from "../model/cluster-trust.ts";
import { ApiError } from "../model/errors.ts";
import { hostCertificateName, hostCertificates } from "../model/host-certificate.ts";
import { isNodeReady, nodes } from "../model/node.ts";
import type { AwaitedHost, CaEndReport, CaReport } from "../model/trust-reports.ts";
import { rfc3339 } from "../seams/clock.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Reader, Tx } from "../store/transaction.ts";
import { beginRotation, giveUp, hostsInChange, lockedOut, waitedFor } from "../trust/authorities.ts";
import { keyHashOf } from "../trust/key-hash.ts";
import { CA_MS } from "../trust/lifetimes.ts";
import { refuse } from "../trust/refused.ts";
import type { StyrApiContext } from "./context.ts";
import { trustOf } from "./joining.ts";
import { optionsOf } from "./request-options.ts";

const PATH = "/styr/v1/ca";

export function authorityRoutes(context: StyrApiContext): readonly Route[] {
  const { store, clock } = context;
  const access = { verb: "admin", resource: "ca" } as const;
  const report = () => Response.json(caReport(store, context));
  return [
    // Who is heard, the leader knows.
    { method: "GET", path: PATH, access, atLeader: "if any", handle: report },
    {
      method: "POST",
      path: `${PATH}/rotate`,
      access,
      async handle(_request, { actor }) {
        await refuseSecond(store);
        const { issueCa } = await import("../trust/issue-certificate.ts");
        const fresh = await issueCa(clock.now(), clock.now() + CA_MS);
        await store.update((tx) => begin(tx, { ...fresh, madeAt: rfc3339(tx.nowMs) }, actor.name));
        return report();
      },
    },
    {
      method: "POST",
      path: `${PATH}/rotate/finish`,
      access,
      async handle(request, { actor }) {
        const names = namesIn(await optionsOf(request, ["giveUp"]));
        return Response.json(await store.update((tx) => finish(tx, context, names, actor.name)));
      },
    },
    {
      method: "POST",
      path: `${PATH}/revoke`,
      access,
      async handle(request, { actor }) {
        const { name, role } = await optionsOf(request, ["name", "role"]);
        await store.update((tx) => revoke(tx, name, role, actor.name));
        return new Response(null, { status: 204 });
      },
    },
  ];
}

function caReport(reader: Reader, context: StyrApiContext): CaReport {
  const { spec } = trustOf(reader);
  const hosts = hostsIn(reader);
  const authorities = spec.authorities.map(({ certPem, madeAt }, at) => {
    const hash = keyHashOf(certPem);
    const expiresAt = rfc3339(Date.parse(new X509Certificate(certPem).validTo));
    return { hash, signs: at === 0, madeAt, expiresAt, hosts: hosts.filter((one) => one.issuedBy === hash).length };
  });
  const waitsFor = awaited(reader, context);
  return {
    clusterId: spec.clusterId,
    authorities,
    ...(spec.rotation ? { rotation: { ...spec.rotation, waitsFor } } : {}),
    refused: spec.refused ?? [],
  };
}

function hostsIn(reader: Reader) {
  return hostsInChange(reader.list(hostCertificates), (name) => reader.get(nodes, name) !== undefined);
}

function awaited(reader: Reader, context: StyrApiContext): readonly AwaitedHost[] {
  return waitedFor(trustOf(reader).spec, hostsIn(reader), context.clock.now()).map(
    ({ host: { host, role }, untilMs }) => {
      const heard = role === "server" ? (context.servers?.isHeard(host) ?? false) : isHeard(reader, context, host);
      return { host, role, until: rfc3339(untilMs), heard };
    },
  );
}

function isHeard(reader: Reader, { lifecycle }: StyrApiContext, name: string): boolean {
  const node = reader.get(nodes, name);
  const state = lifecycle?.stateOf(name)?.state;
  return node !== undefined && (state === undefined ? isNodeReady(node) : state === "ready");
}

async function refuseSecond(reader: Reader): Promise<void> {
  if (!trustOf(reader).spec.rotation) return;
  throw new ApiError("Conflict", "the CA is being changed already; see: styr ca show");
}

function begin(tx: Tx, fresh: ClusterTrust["spec"]["authorities"][number], by: string): void {
  const trust = trustOf(tx);
  if (trust.spec.rotation) throw new ApiError("Conflict", "the CA is being changed already; see: styr ca show");
  write(tx, trust, beginRotation(trust.spec, fresh, rfc3339(tx.nowMs), by), `${by} began to change the CA`);
}

/** Only who is named is given up: what somebody has agreed to and what is done are the same. */
function finish(tx: Tx, context: StyrApiContext, names: readonly string[], by: string): CaEndReport {
  const trust = trustOf(tx);
  if (!trust.spec.rotation) throw new ApiError("Conflict", "the CA is not being changed; see: styr ca show");
  const stranger = names.find((name) => !tx.list(hostCertificates).some(({ spec }) => spec.host === name));
  if (stranger !== undefined) throw new ApiError("NotFound", `no host "${stranger}" has a certificate`);
  const all = awaited(tx, context);
  // Who has done his part meanwhile is not given up.
  const late = names.filter((name) => all.some(({ host }) => host === name));
  const after = giveUp(trust.spec, late);
  if (late.length > 0) write(tx, trust, after, `${by} does not wait for ${late.join(", ")} to change the CA`);
  return {
    lockedOut: lockedOut(after, hostsIn(tx), tx.nowMs),
    waitsFor: all.filter(({ host }) => !names.includes(host)),
  };
}

function namesIn({ giveUp: names }: Readonly<Record<string, unknown>>): readonly string[] {
  if (Array.isArray(names) && names.every((name): name is string => typeof name === "string")) return names;
  throw new ApiError("BadRequest", "say which hosts are not to be waited for: giveUp, a list of names");
}

const ROLES = ["node", "server", "admin"] as const;

function revoke(tx: Tx, name: unknown, role: unknown, by: string): void {
  const known = ROLES.find((one) => one === role);
  if (typeof name !== "string" || name === "" || name.length > 253 || !known)
    throw new ApiError("BadRequest", `give name, and role: one of ${ROLES.join(", ")}`);
  const trust = trustOf(tx);
  const key = known === "admin" ? undefined : hostCertificateName(known, name);
  if (key !== undefined) {
    if (!tx.get(hostCertificates, key)) throw new ApiError("NotFound", `no ${known} "${name}" has a certificate`);
    tx.remove(hostCertificates, key);
  }
  const why = `${by} has taken back the certificates of ${name}`;
  write(tx, trust, refuse(trust.spec, name, known, tx.nowMs, why), why);
}

function write(tx: Tx, before: ClusterTrust, spec: ClusterTrust["spec"], message: string): void {
  const after = tx.update<ClusterTrust>(clusterTrusts, { ...before, spec });
  recordEvent(tx, after, { type: "Normal", reason: "TrustChanged", message, component: "api" });
}
