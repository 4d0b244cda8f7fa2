/** The cluster's CA and the first certificates, made at first start, kept in `pki/` of the state directory. */
import {
  createHash,
  createPublicKey,
  X509Certificate as NodeCertificate,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Actor, Role } from "../http/actor.ts";
import type { Issued, LeafRequest } from "../trust/issue-certificate.ts";

interface Identity extends Issued {
  readonly caPem: string;
}

export interface Pki {
  readonly server: Identity;
  /** With which this server proves to the others that it is one. */
  readonly peer: Identity;
  /** sha256 of the CA's public key, for people and join tokens to pin. */
  readonly caHash: string;
  /** The actor that a bearer token stands for. */
  actorOfToken(token: string): Actor | undefined;
  readonly files: {
    readonly ca: string;
    readonly adminCert: string;
    readonly adminKey: string;
    readonly token: string;
  };
}

const YEAR_MS = 365 * 24 * 3_600_000;
const CA_YEARS = 10;
/** Renewed at a start with less than a third left. */
const LEAF_MS = YEAR_MS;

/** Reads what is there and makes what is missing or about to expire. */
export async function openPki(stateDir: string, nowMs: number): Promise<Pki> {
  const dir = join(stateDir, "pki");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const ca = await ensureCa(dir, nowMs);
  const server = await ensureLeaf(dir, "server", ca, nowMs, {
    subject: "CN=styrmann-server",
    names: serverNames(),
    usage: "server",
  });
  const peer = await ensureLeaf(dir, "peer", ca, nowMs, {
    subject: `CN=${hostname().toLowerCase()},O=styrmann:server`,
    names: [],
    usage: "client",
  });
  await ensureLeaf(dir, "admin", ca, nowMs, {
    subject: "CN=admin,O=styrmann:admin",
    names: [],
    usage: "client",
  });
  const tokenFile = join(dir, "admin.token");
  const token = await ensureToken(tokenFile);
  return {
    server: { caPem: ca.certPem, ...server },
    peer: { caPem: ca.certPem, ...peer },
    caHash: createHash("sha256").update(publicKeyOf(ca.certPem)).digest("hex"),
    actorOfToken: (given) => (sameSecret(given, token) ? { name: "admin", roles: ["admin"] } : undefined),
    files: {
      ca: join(dir, "ca.crt"),
      adminCert: join(dir, "admin.crt"),
      adminKey: join(dir, "admin.key"),
      token: tokenFile,
    },
  };
}

/** The actor of a client certificate that our CA signed: CN is the name, each `O=styrmann:ROLE` a role. */
export function actorOfCertificate(subject: {
  readonly CN?: string | string[];
  readonly O?: string | string[];
}): Actor | undefined {
  const name = [subject.CN ?? []].flat()[0];
  if (name === undefined) return undefined;
  const roles = [subject.O ?? []].flat().flatMap((organisation) => ROLE_OF_ORGANISATION[organisation] ?? []);
  return { name, roles };
}

const ROLE_OF_ORGANISATION: Readonly<Record<string, Role>> = {
  "styrmann:admin": "admin",
  "styrmann:operator": "operator",
  "styrmann:viewer": "viewer",
  "styrmann:node": "node",
  "styrmann:server": "server",
};

async function ensureCa(dir: string, nowMs: number): Promise<Issued> {
  const [certFile, keyFile] = [join(dir, "ca.crt"), join(dir, "ca.key")];
  const [certPem, keyPem] = [await readIfThere(certFile), await readIfThere(keyFile)];
  if (certPem !== undefined && keyPem !== undefined) return { certPem, keyPem };
  const { issueCa } = await import("../trust/issue-certificate.ts");
  return keep(certFile, keyFile, await issueCa(nowMs, nowMs + CA_YEARS * YEAR_MS));
}

async function ensureLeaf(dir: string, name: string, ca: Issued, nowMs: number, wanted: LeafRequest): Promise<Issued> {
  const [certFile, keyFile] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const [certPem, keyPem] = [await readIfThere(certFile), await readIfThere(keyFile)];
  if (certPem !== undefined && keyPem !== undefined && isUsable(certPem, ca, nowMs, wanted)) return { certPem, keyPem };
  const { issueLeaf } = await import("../trust/issue-certificate.ts");
  return keep(certFile, keyFile, await issueLeaf(ca, wanted, nowMs, nowMs + LEAF_MS));
}

async function keep(certFile: string, keyFile: string, issued: Issued): Promise<Issued> {
  await writeSecret(keyFile, issued.keyPem);
  await writeSecret(certFile, issued.certPem, 0o644);
  return issued;
}

/** Still ours, not about to expire, and good for every name this machine has now. */
function isUsable(certPem: string, ca: Issued, nowMs: number, wanted: LeafRequest): boolean {
  const certificate = new NodeCertificate(certPem);
  if (!certificate.verify(createPublicKey(ca.certPem))) return false;
  if (Date.parse(certificate.validTo) - nowMs < LEAF_MS / 3) return false;
  return wanted.names.every(
    ({ type, value }) => (type === "ip" ? certificate.checkIP(value) : certificate.checkHost(value)) !== undefined,
  );
}

function serverNames(): LeafRequest["names"] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  const usable = addresses.filter((address) => !address.startsWith("fe80"));
  const names = new Set(["localhost", hostname()]);
  return [
    ...[...names].map((value) => ({ type: "dns" as const, value })),
    ...[...new Set(["127.0.0.1", "::1", ...usable])].sort().map((value) => ({ type: "ip" as const, value })),
  ];
}

async function ensureToken(file: string): Promise<string> {
  const known = await readIfThere(file);
  if (known !== undefined && known.trim().length >= 32) return known.trim();
  const token = `styr-${randomBytes(24).toString("base64url")}`;
  await writeSecret(file, `${token}\n`);
  return token;
}

function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function publicKeyOf(certPem: string): Buffer {
  return createPublicKey(certPem).export({ type: "spki", format: "der" });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whole or not at all: a key half written at a crash would lock everybody out. */
async function writeSecret(file: string, text: string, mode = 0o600): Promise<void> {
  await writeFile(`${file}.new`, text, { mode, flush: true });
  await rename(`${file}.new`, file);
}
