import type { RouteTls } from "../network.ts";

/** Resource version of the Secret of that key (`namespace/name`); undefined: there is none (yet). */
export type SecretVersion = (secret: string) => string | undefined;

/** Where certificates lie that were ordered by ACME. */
export const CERTIFICATE_NAMESPACE = "styr-system";

export function acmeSecretName(host: string): string {
  return `tls.${host}`;
}

/** The certificate that was ordered for a host, once it is there. */
export function acmeTls(host: string, versionOf: SecretVersion): RouteTls {
  const secret = `${CERTIFICATE_NAMESPACE}/${acmeSecretName(host)}`;
  const version = versionOf(secret);
  return version === undefined ? { acme: true } : { secret, version };
}
