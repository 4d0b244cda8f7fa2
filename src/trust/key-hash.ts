/** PEM texts of certificates, and the hash by which a CA is known: SHA-256 of its public key, in hex. */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";

export function keyHashOf(pem: string | KeyObject): string {
  const key = typeof pem === "string" ? createPublicKey(pem) : pem;
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** The certificates of a bundle, in its order. */
export function splitPem(bundle: string): readonly string[] {
  return (bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((pem) => `${pem}\n`);
}

/** Hashes of the public keys of all certificates of a bundle. */
export function hashesOf(bundle: string): readonly string[] {
  return splitPem(bundle).map((pem) => keyHashOf(pem));
}
