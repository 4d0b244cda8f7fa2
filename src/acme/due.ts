import { X509Certificate } from "node:crypto";
import type { Secret } from "../model/secret.ts";

/** Of a certificate's life, how much is left when it is renewed. */
const LEFT = 1 / 3;

/** When the certificate in this Secret is to be ordered anew; 0 when there is none that can be read. */
export function renewAtMs(secret: Secret | undefined): number {
  const text = secret?.data?.["tls.crt"];
  if (text === undefined) return 0;
  try {
    const { validFromDate, validToDate } = new X509Certificate(Buffer.from(text, "base64"));
    const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
    return to - (to - from) * LEFT;
  } catch (error) {
    // What somebody wrote there by hand is replaced.
    if (error instanceof Error) return 0;
    throw error;
  }
}
