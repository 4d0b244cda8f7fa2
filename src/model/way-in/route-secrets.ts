import { type Exposure, exposures } from "../exposure.ts";
import { type Ingress, ingresses } from "../ingress.ts";
import type { Node } from "../node.ts";
import { NODE_LABEL } from "../well-known.ts";
import type { WorkloadReader } from "../workload.ts";
import { acmeSecretName, CERTIFICATE_NAMESPACE } from "./acme-secret.ts";
import { isOurs } from "./ingress-routes.ts";
import { tlsEntries } from "./ingress-tls.ts";

/** Whether a node is a way in: it may have the certificates of routes, and no other secret. */
export function isWayIn(node: Node | undefined): boolean {
  return node?.metadata.labels?.[NODE_LABEL.wayIn] === "true";
}

/** Whether some route takes its certificate from that Secret. */
export function isRouteSecret(reader: WorkloadReader, namespace: string, name: string): boolean {
  const key = `${namespace}/${name}`;
  if (namespace === CERTIFICATE_NAMESPACE && isAcmeSecret(reader, name)) return true;
  const named = reader.list(ingresses, namespace).some((each) => isOurs(each) && namesSecret(each, name));
  return named || reader.list(exposures).some(({ spec }) => spec.tls?.secret === key);
}

/** Asked for each certificate that a way in fetches: most are of an exposure of the whole host, which has its name. */
function isAcmeSecret(reader: WorkloadReader, name: string): boolean {
  const isIts = (host: string) => acmeSecretName(host) === name;
  const whole = reader.get(exposures, name.slice(acmeSecretName("").length));
  if (whole !== undefined && isIts(whole.spec.host) && hostsOfExposure(whole).length > 0) return true;
  return (
    reader.list(exposures).some((each) => isIts(each.spec.host) && hostsOfExposure(each).length > 0) ||
    reader.list(ingresses).some((each) => each.spec?.tls !== undefined && hostsOfIngress(each).some(isIts))
  );
}

function namesSecret({ spec }: Ingress, name: string): boolean {
  return spec?.tls?.some(({ secretName }) => secretName === name) ?? false;
}

/** Hosts whose certificates are ordered by ACME: sorted, each once. A wildcard cannot be proved over HTTP (RFC 8555, 8.3). */
export function acmeHosts(reader: WorkloadReader): readonly string[] {
  const exposed = reader.list(exposures).flatMap(hostsOfExposure);
  const asked = reader.list(ingresses).flatMap(hostsOfIngress);
  return [...new Set([...exposed, ...asked])].sort();
}

/** Of which an exposure asks for a certificate by ACME. */
export function hostsOfExposure({ spec }: Exposure): readonly string[] {
  return [spec.host].filter((host) => spec.tls?.acme === true && canBeProved(host));
}

export function hostsOfIngress(ingress: Ingress): readonly string[] {
  return isOurs(ingress) ? hostsWithoutSecret(ingress).filter(canBeProved) : [];
}

function canBeProved(host: string): boolean {
  return host.includes(".") && !host.startsWith("*");
}

function hostsWithoutSecret({ spec = {} }: Pick<Ingress, "spec">): readonly string[] {
  const named = (spec.tls ?? []).flatMap(({ hosts = [], secretName }) => (secretName === undefined ? hosts : []));
  const ruled = (spec.rules ?? []).flatMap(({ host }) => host?.toLowerCase() ?? []);
  const entryOf = tlsEntries(spec);
  const asked = ruled.filter((host) => {
    const entry = entryOf(host);
    return entry !== undefined && entry.secretName === undefined;
  });
  return [...named.map((host) => host.toLowerCase()), ...asked];
}
