/** A certificate and its key in two files, never half of one pair and half of another. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { splitPem } from "../../trust/key-hash.ts";

export interface Pair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Undefined when there is none, or when it is not one: then it has to be made anew. */
export async function readPair(certFile: string, keyFile: string): Promise<Pair | undefined> {
  const certPem = await readIfThere(certFile);
  if (certPem === undefined) return undefined;
  for (const file of [keyFile, `${keyFile}.next`]) {
    const keyPem = await readIfThere(file);
    if (keyPem === undefined || !belongTogether(certPem, keyPem)) continue;
    // A crash between the two renames: the certificate is there, its key still has its other name.
    if (file !== keyFile) await rename(file, keyFile);
    return { certPem, keyPem };
  }
  return undefined;
}

/** A crash at any moment leaves either pair. The certificate's rename decides. */
export async function writePair(certFile: string, keyFile: string, { certPem, keyPem }: Pair): Promise<void> {
  await writeFile(`${keyFile}.next`, keyPem, { mode: 0o600, flush: true });
  await writeWhole(certFile, certPem, 0o644);
  await rename(`${keyFile}.next`, keyFile);
}

/** Whole or not at all: a key half written at a crash would lock everybody out. */
export async function writeWhole(file: string, text: string, mode = 0o600): Promise<void> {
  await writeFile(`${file}.new`, text, { mode, flush: true });
  await rename(`${file}.new`, file);
}

export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Also of a bundle: the key may be that of any of its certificates. */
function belongTogether(certPem: string, keyPem: string): boolean {
  const key = createPrivateKey(keyPem);
  return splitPem(certPem).some((pem) => new X509Certificate(pem).checkPrivateKey(key));
}
