import "reflect-metadata";
/** Makes certificates and requests for them. The library is large: import this file only when something has to be made. */
import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { issuedAtToValidFromMs } from "./lifetimes.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export interface Issued {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface LeafRequest {
  readonly subject: string;
  readonly names: readonly { readonly type: "dns" | "ip"; readonly value: string }[];
  readonly usage: "server" | "client";
}

/** A self-signed CA, good from an hour ago (clocks differ) until `untilMs`. */
export async function issueCa(nowMs: number, untilMs: number): Promise<Issued> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=styrmann-ca-${randomBytes(4).toString("hex")}`,
    notBefore: new Date(issuedAtToValidFromMs(nowMs)),
    notAfter: new Date(untilMs),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: `${certificate.toString("pem")}\n`, keyPem: await exportKey(keys.privateKey) };
}

/** A certificate for a server or a client with a new key, signed by `ca`. */
export async function issueLeaf(ca: Issued, wanted: LeafRequest, nowMs: number, untilMs: number): Promise<Issued> {
  const keys = await newKeys();
  const certPem = await sign(ca, keys.publicKey, wanted, nowMs, untilMs);
  return { certPem, keyPem: await exportKey(keys.privateKey) };
}

/** A certificate for the key of a request. What else the request says is not looked at: `wanted` is what the caller may have. */
export async function issueForRequest(
  ca: Issued,
  csrPem: string,
  wanted: LeafRequest,
  nowMs: number,
  untilMs: number,
): Promise<string> {
  return sign(ca, await checkedKey(csrPem), wanted, nowMs, untilMs);
}

/** A key, and the proof that whoever asks has it (PKCS #10). */
export async function requestFor(keyPem: string): Promise<string> {
  const privateKey = await importKey(keyPem);
  const publicKey = await publicKeyOf(privateKey);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=styrmann",
    keys: { privateKey, publicKey },
    signingAlgorithm: ALGORITHM,
  });
  return `${request.toString("pem")}\n`;
}

export async function newKeyPem(): Promise<string> {
  return exportKey((await newKeys()).privateKey);
}

/** PEM of a request's public key. Throws an Error with words when it is no request, or its asker does not have the key. */
export async function publicKeyOfRequest(csrPem: string): Promise<string> {
  const spki = await webcrypto.subtle.exportKey("spki", await checkedKey(csrPem));
  return x509.PemConverter.encode(spki, "PUBLIC KEY");
}

async function checkedKey(csrPem: string): Promise<webcrypto.CryptoKey> {
  try {
    const request = new x509.Pkcs10CertificateRequest(csrPem);
    const key = await request.publicKey.export(ALGORITHM, ["verify"]);
    if (await request.verify()) return key;
  } catch (error) {
    throw new Error(`the certificate request cannot be read (a P-256 key is needed): ${(error as Error).message}`);
  }
  throw new Error("the certificate request is not signed by its own key");
}

async function sign(
  ca: Issued,
  publicKey: webcrypto.CryptoKey,
  wanted: LeafRequest,
  nowMs: number,
  untilMs: number,
): Promise<string> {
  const authority = new x509.X509Certificate(ca.certPem);
  const usage = wanted.usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: wanted.subject,
    issuer: authority.subject,
    notBefore: new Date(issuedAtToValidFromMs(nowMs)),
    notAfter: new Date(untilMs),
    signingAlgorithm: ALGORITHM,
    publicKey,
    signingKey: await importKey(ca.keyPem),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      ...(wanted.names.length > 0 ? [new x509.SubjectAlternativeNameExtension([...wanted.names])] : []),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/** RFC 5280, 4.1.2.2: positive, so the first bit is 0; and not empty at the front, so that it reads the same everywhere. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.toString("hex");
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem);
  if (!der) throw new Error("the key file holds no key; restore it from a backup");
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
}

async function publicKeyOf(key: webcrypto.CryptoKey): Promise<webcrypto.CryptoKey> {
  const { kty, crv, x, y } = await webcrypto.subtle.exportKey("jwk", key);
  const jwk = { kty, crv, x, y } as webcrypto.JsonWebKey;
  return webcrypto.subtle.importKey("jwk", jwk, ALGORITHM, true, ["verify"]);
}
