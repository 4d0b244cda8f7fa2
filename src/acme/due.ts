import { X509Certificate } from "node:crypto";
import { type Secret, secrets } from "../model/secret.ts";
import { acmeSecretName, CERTIFICATE_NAMESPACE } from "../model/way-in/acme-secret.ts";
import type { WorkloadReader } from "../model/workload.ts";

/** Of a certificate's life, how much is left when it is renewed. */
const LEFT = 1 / 3;

/** When certificates are to be ordered anew. One that is as it was is not read again. */
export class Renewals {
  #known = new Map<string, { readonly version: string; readonly atMs: number }>();

  /** 0 where there is none that can be read. */
  atMs(reader: WorkloadReader, host: string): number {
    const secret = reader.get(secrets, `${CERTIFICATE_NAMESPACE}/${acmeSecretName(host)}`);
    const version = secret?.metadata.resourceVersion ?? "";
    const known = this.#known.get(host);
    if (known?.version === version) return known.atMs;
    const atMs = renewAtMs(secret);
    this.#known.set(host, { version, atMs });
    return atMs;
  }

  keep(hosts: ReadonlyMap<string, unknown>): void {
    for (const host of this.#known.keys()) if (!hosts.has(host)) this.#known.delete(host);
  }
}

function renewAtMs(secret: Secret | undefined): number {
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
