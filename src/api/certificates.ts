/**
 * POST /styr/v1/certificates: a host of the cluster says what it has and believes, and, with a request, gets a new certificate.
 * It speaks for itself alone: the name is that of the certificate it asks with.
 */
import { createPublicKey, X509Certificate } from "node:crypto";
import type { Actor } from "../http/actor.ts";
import type { Route } from "../http/route.ts";
import type { ClusterTrust } from "../model/cluster-trust.ts";
import { ApiError } from "../model/errors.ts";
import { believedHashes, bundleOf, signerOf } from "../trust/authorities.ts";
import type { CertificateAnswer, CertificateRequest } from "../trust/join-messages.ts";
import { keyHashOf } from "../trust/key-hash.ts";
import { LEAF_MS } from "../trust/lifetimes.ts";
import { issuedAtFor } from "../trust/refused.ts";
import type { StyrApiContext } from "./context.ts";
import { recordCertificate, trustOf } from "./joining.ts";
import { optionsOf } from "./request-options.ts";

const MOST_BELIEVED = 8;
const LARGEST_PEM = 16_384;

export function certificateRoutes(context: StyrApiContext): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/styr/v1/certificates",
      access: { verb: "link", resource: "certificates" },
      async handle(request, { actor }) {
        return Response.json(await renew(context, roleOf(actor), actor.name, await parse(request)));
      },
    },
  ];
}

type Role = "node" | "server";

function roleOf({ roles }: Actor): Role {
  return roles.includes("server") ? "server" : "node";
}

async function renew(
  { store, clock }: StyrApiContext,
  role: Role,
  host: string,
  asked: CertificateRequest,
): Promise<CertificateAnswer> {
  const { spec } = trustOf(store);
  const issued = asked.csrPem === undefined ? undefined : await issue(spec, role, host, asked.csrPem, clock.now());
  const certPem = issued ?? checked(spec, role, host, asked.certPem);
  await store.update((tx) => {
    const now = trustOf(tx).spec;
    const issuer = issuerOf(now, certPem);
    // A new certificate comes with the bundle of now.
    const believes = issued === undefined ? asked.believes : believedHashes(now);
    recordCertificate(tx, { role, host, certPem, issuedBy: issuer, believes });
  });
  return { ...(issued === undefined ? {} : { certPem: issued }), caPem: bundleOf(trustOf(store).spec) };
}

async function issue(spec: ClusterTrust["spec"], role: Role, host: string, csrPem: string, nowMs: number) {
  const { issueForRequest } = await import("../trust/issue-certificate.ts");
  const wanted = { subject: `CN=${host},O=styrmann:${role}`, names: [], usage: "client" as const };
  const issuedMs = issuedAtFor(spec, host, role, nowMs);
  try {
    return await issueForRequest(signerOf(spec), csrPem, wanted, issuedMs, issuedMs + LEAF_MS);
  } catch (error) {
    throw new ApiError("BadRequest", (error as Error).message);
  }
}

/** What it says it has must be its own, and of a CA that is believed. */
function checked(spec: ClusterTrust["spec"], role: Role, host: string, certPem: string | undefined): string {
  if (certPem === undefined) throw new ApiError("BadRequest", "give csrPem, or certPem");
  const { subject } = readCertificate(certPem);
  const lines = subject.split("\n");
  if (!lines.includes(`CN=${host}`) || !lines.includes(`O=styrmann:${role}`))
    throw new ApiError("Forbidden", `the certificate is not that of the ${role} ${host}`);
  issuerOf(spec, certPem);
  return certPem;
}

function issuerOf(spec: ClusterTrust["spec"], certPem: string): string {
  const certificate = readCertificate(certPem);
  const issuer = spec.authorities.find((one) => certificate.verify(createPublicKey(one.certPem)));
  if (issuer) return keyHashOf(issuer.certPem);
  throw new ApiError("Forbidden", "the certificate is of no CA of this cluster");
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new ApiError("BadRequest", `certPem cannot be read: ${(error as Error).message}`);
  }
}

async function parse(request: Request): Promise<CertificateRequest> {
  const { csrPem, certPem, believes } = await optionsOf(request, ["csrPem", "certPem", "believes"]);
  const isList = Array.isArray(believes) && believes.length <= MOST_BELIEVED;
  if (!isList || !believes.every((hash) => typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash)))
    throw new ApiError("BadRequest", "believes must be a list of hashes in hex");
  return { ...pem("csrPem", csrPem), ...pem("certPem", certPem), believes };
}

function pem(field: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value === "string" && value.length <= LARGEST_PEM) return { [field]: value };
  throw new ApiError("BadRequest", `${field} must be PEM text`);
}
