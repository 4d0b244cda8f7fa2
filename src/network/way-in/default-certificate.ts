import "reflect-metadata";
/** The certificate for hosts that have none (yet). The library is large: import this file only when one has to be made. */
import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const YEARS_MS = 10 * 365 * 86_400_000;

/** Certificate and key in one PEM, signed by nobody but itself: a browser warns, as it does of every name without a certificate. */
export async function makeDefaultCertificate(nowMs: number): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `40${randomBytes(15).toString("hex")}`,
    name: "CN=styrmann default certificate",
    notBefore: new Date(nowMs - 3_600_000),
    notAfter: new Date(nowMs + YEARS_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new x509.BasicConstraintsExtension(false, undefined, true)],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return `${certificate.toString("pem")}\n${key}\n`;
}
