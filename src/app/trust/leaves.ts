/** The certificates that a server makes for itself, and for the people on its host, with the CA's key. */
import { createPublicKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import type { LeafRequest } from "../../trust/issue-certificate.ts";
import { isDue, LEAF_MS } from "../../trust/lifetimes.ts";
import { type Pair, readPair, writePair } from "./pair-files.ts";

export type LeafName = "server" | "peer" | "admin" | "node";

export interface WhoIsHere {
  readonly names?: readonly string[];
  readonly serverName?: string;
  readonly nodeName?: string;
}

/** What each is for. `names`: addresses and names of this server beside those of the host. */
export function leavesOf({ names = [], serverName, nodeName }: WhoIsHere): ReadonlyMap<LeafName, LeafRequest> {
  const client = (subject: string): LeafRequest => ({ subject, names: [], usage: "client" });
  return new Map<LeafName, LeafRequest>([
    ["server", { subject: "CN=styrmann-server", names: serverNames(names), usage: "server" }],
    ["peer", client(`CN=${serverName ?? hostname().toLowerCase()},O=styrmann:server`)],
    ["admin", client("CN=admin,O=styrmann:admin")],
    ...(nodeName === undefined ? [] : [["node", client(`CN=${nodeName},O=styrmann:node`)] as const]),
  ]);
}

export interface LeafOptions {
  readonly dir: string;
  readonly ca: Pair;
  readonly nowMs: number;
  /** When a new one counts as issued (trust/refused.ts). */
  readonly issuedAtMs: number;
  readonly isRefused: (certPem: string) => boolean;
}

/** The one that is there while it is good; else a new one. */
export async function ensureLeaf(name: LeafName, wanted: LeafRequest, options: LeafOptions): Promise<Pair> {
  const { dir, ca, nowMs, issuedAtMs } = options;
  const [certFile, keyFile] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const known = await readPair(certFile, keyFile);
  if (known && isGood(known.certPem, wanted, ca, nowMs) && !options.isRefused(known.certPem)) return known;
  const { issueLeaf } = await import("../../trust/issue-certificate.ts");
  const issued = await issueLeaf(ca, wanted, issuedAtMs, issuedAtMs + LEAF_MS);
  await writePair(certFile, keyFile, issued);
  return issued;
}

/** Of the CA that signs now, not about to expire, for the same subject and for every name that is needed. */
function isGood(certPem: string, wanted: LeafRequest, ca: Pair, nowMs: number): boolean {
  const certificate = new X509Certificate(certPem);
  if (!certificate.verify(createPublicKey(ca.certPem)) || isDue(certificate, nowMs)) return false;
  // Made while this host's clock was ahead: nobody takes it until then.
  if (Date.parse(certificate.validFrom) > nowMs) return false;
  if (certificate.subject !== wanted.subject.replaceAll(",", "\n")) return false;
  return wanted.names.every(
    ({ type, value }) => (type === "ip" ? certificate.checkIP(value) : certificate.checkHost(value)) !== undefined,
  );
}

/** The Service by which pods reach the API (controllers/endpoint-slices/api-service-controller.ts). */
const IN_CLUSTER = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
];

function serverNames(more: readonly string[]): LeafRequest["names"] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  const usable = addresses.filter((address) => !address.startsWith("fe80"));
  const all = new Set(["localhost", hostname(), "127.0.0.1", "::1", ...IN_CLUSTER, ...usable, ...more]);
  const typed = [...all].map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }));
  return typed.toSorted((a, b) => (a.type + a.value < b.type + b.value ? -1 : 1));
}
