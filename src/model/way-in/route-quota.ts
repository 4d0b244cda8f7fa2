/** Each route is a line of the maps of every way in, and many are a backend there: whoever may write in one namespace may not fill them. */
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../cluster-settings.ts";
import { exposures } from "../exposure.ts";
import { type Ingress, ingresses } from "../ingress.ts";
import type { WorkloadReader } from "../workload.ts";
import { unusedTlsHosts } from "./ingress-tls.ts";

/** Hosts times paths, and hosts that only its `tls` names: for each of them a certificate may be ordered. */
export function routesOfIngress({ spec }: Ingress): number {
  const { rules = [], defaultBackend } = spec ?? {};
  const ruledHosts = rules.map(({ host = "" }) => host);
  const ruled = rules.reduce((sum, { http }) => sum + (http?.paths?.length ?? 1), 0);
  return ruled + (defaultBackend ? 1 : 0) + unusedTlsHosts(spec ?? {}, ruledHosts).length;
}

/** Why a namespace may not have so many more of its Ingresses and exposures, in words. */
export function routeQuotaProblem(reader: WorkloadReader, namespace: string, more: number): string | undefined {
  if (more <= 0) return undefined;
  const { routesPerNamespace: most } = settingsInForce(reader.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  const ruled = reader.list(ingresses, namespace).reduce((sum, ingress) => sum + routesOfIngress(ingress), 0);
  const exposed = reader.list(exposures).filter(({ spec }) => namespaceOf(spec.workload) === namespace).length;
  const has = ruled + exposed;
  if (has + more <= most) return undefined;
  return `all Ingresses and exposures of namespace ${namespace} may have ${most} routes (styr settings: routes-per-namespace): there are ${has}, and this would be ${more} more`;
}

function namespaceOf({ namespace, dialect }: { readonly namespace?: string; readonly dialect: string }): string {
  return namespace ?? dialect;
}
