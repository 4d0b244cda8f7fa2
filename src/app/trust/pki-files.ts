/** What lies in `pki/` beside the certificates that are made anew: the CA, and the first token of the admin. */
import { createPublicKey, randomBytes } from "node:crypto";
import { join } from "node:path";
import { keyHashOf, splitPem } from "../../trust/key-hash.ts";
import { CA_MS } from "../../trust/lifetimes.ts";
import { type Pair, readIfThere, readPair, writePair, writeWhole } from "./pair-files.ts";

export interface Authorities {
  /** PEM of all that are believed. */
  readonly bundle: string;
  readonly signer: Pair;
}

/** Makes a CA where there is none. Throws an Error with words where there is half of one. */
export async function openAuthorities(dir: string, nowMs: number): Promise<Authorities> {
  const [certFile, keyFile] = [join(dir, "ca.crt"), join(dir, "ca.key")];
  const known = await readPair(certFile, keyFile);
  if (known) return { bundle: known.certPem, signer: { certPem: signerIn(known), keyPem: known.keyPem } };
  if ((await readIfThere(certFile)) !== undefined)
    throw new Error(
      `${keyFile} is not there or not that of ${certFile}; restore both from a backup or another server. Without them this host cannot be a server of its cluster`,
    );
  const { issueCa } = await import("../../trust/issue-certificate.ts");
  const issued = await issueCa(nowMs, nowMs + CA_MS);
  await writePair(certFile, keyFile, issued);
  return { bundle: issued.certPem, signer: issued };
}

/** The one of the bundle that the key is of. */
function signerIn({ certPem, keyPem }: Pair): string {
  const hash = keyHashOf(createPublicKey(keyPem));
  return splitPem(certPem).find((pem) => keyHashOf(pem) === hash) ?? certPem;
}

export async function ensureToken(file: string): Promise<string> {
  const known = await readIfThere(file);
  if (known !== undefined && known.trim().length >= 32) return known.trim();
  return makeToken(file);
}

export async function makeToken(file: string): Promise<string> {
  const token = `styr-${randomBytes(24).toString("base64url")}`;
  await writeWhole(file, `${token}\n`);
  return token;
}
