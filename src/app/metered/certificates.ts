import { X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateEnd } from "../../api/context.ts";

/** Of the certificates in a `pki/` folder; of a bundle the first, which is the one that signs. A file that is being written is left out this time. */
export function certificatesIn(dir: string): readonly CertificateEnd[] {
  if (!existsSync(dir)) return [];
  const files = readdirSync(dir).filter((name) => name.endsWith(".crt"));
  return files.sort().flatMap((file) => endOf(join(dir, file), file.slice(0, -".crt".length)) ?? []);
}

function endOf(path: string, name: string): CertificateEnd | undefined {
  const pem = readFileSync(path, "utf8");
  if (!pem.includes("-----END CERTIFICATE-----")) return undefined;
  return { name, endsAtMs: Date.parse(new X509Certificate(pem).validTo) };
}
