/** /styr/v1/ca: which CAs are believed, changing them, and taking certificates back. */

import { X509Certificate } from "node:crypto";
import type { Route } from "../http/route.ts";
import { type ClusterTrust, clusterTrusts } from "../model/cluster-trust.ts";
import { ApiError } from "../model/errors.ts";
import { hostCertificateName, hostCertificates } from "../model/host-certificate.ts";
import type { CaEndReport, CaReport } from "../model/trust-reports.ts";
import { rfc3339 } from "../seams/clock.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Reader, Tx } from "../store/transaction.ts";
import { beginRotation, endRotation, waitedFor } from "../trust/authorities.ts";
import { keyHashOf } from "../trust/key-hash.ts";
import { CA_MS } from "../trust/lifetimes.ts";
import { refuse } from "../trust/refused.ts";
import type { StyrApiContext } from "./context.ts";
import { trustOf } from "./joining.ts";
import { optionsOf } from "./request-options.ts";

const PATH = "/styr/v1/ca";

export function authorityRoutes({ store, clock }: StyrApiContext): readonly Route[] {
  const access = { verb: "admin", resource: "ca" } as const;
  const report = () => Response.json(caReport(store, clock.now()));
  return [
    { method: "GET", path: PATH, access, handle: report },
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
      handle: async (_request, { actor }) => Response.json(await store.update((tx) => finish(tx, actor.name))),
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

function caReport(reader: Reader, nowMs: number): CaReport {
  const { spec } = trustOf(reader);
  const hosts = reader.list(hostCertificates).map((one) => one.spec);
  const authorities = spec.authorities.map(({ certPem, madeAt }, at) => {
    const hash = keyHashOf(certPem);
    const expiresAt = rfc3339(Date.parse(new X509Certificate(certPem).validTo));
    return { hash, signs: at === 0, madeAt, expiresAt, hosts: hosts.filter((one) => one.issuedBy === hash).length };
  });
  const waitsFor = waitedFor(spec, hosts, nowMs).map(({ host: { host, role }, untilMs }) => {
    return { host, role, until: rfc3339(untilMs) };
  });
  return {
    clusterId: spec.clusterId,
    authorities,
    ...(spec.rotation ? { rotation: { ...spec.rotation, waitsFor } } : {}),
    refused: spec.refused ?? [],
  };
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

function finish(tx: Tx, by: string): CaEndReport {
  const trust = trustOf(tx);
  if (!trust.spec.rotation) throw new ApiError("Conflict", "the CA is not being changed; see: styr ca show");
  const after = endRotation(trust.spec);
  const [left] = after.authorities;
  const hash = left ? keyHashOf(left.certPem) : "";
  const all = tx.list(hostCertificates).map(({ spec }) => spec);
  // A server finds the new CA in the store, whenever it comes.
  const nodes = all.filter(({ role, expiresAt }) => role === "node" && Date.parse(expiresAt) > tx.nowMs);
  const out = nodes.filter(({ issuedBy }) => issuedBy !== hash);
  write(tx, trust, after, `${by} ended the change of the CA at once; ${out.length} hosts were not through`);
  return { lockedOut: [...new Set(out.map(({ host }) => host))].sort() };
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
