/** Every node writes rules for each port of each Service: whoever may make Services in one namespace may not fill the kernels of all nodes. */
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../../model/cluster-settings.ts";
import { type Service, services } from "../../model/service.ts";
import type { Tx } from "../../store/transaction.ts";
import { forbidden, invalid } from "./status.ts";
import { tooMany } from "./validate/field-errors.ts";

const MOST_PORTS = 2_000;

/** Refuses more than there were. `before`: what was stored may be changed otherwise. */
export function refuseTooManyPorts(tx: Tx, after: Service, before?: Service): void {
  const [count, had] = [portsOf(after), before === undefined ? 0 : portsOf(before)];
  if (count <= had) return;
  const { name, namespace } = after.metadata;
  if (count > MOST_PORTS) throw invalid("Service", name, [tooMany("spec.ports", count, MOST_PORTS)]);
  const { servicePortsPerNamespace: most } = settingsInForce(tx.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  const others = tx.list(services, namespace).reduce((sum, service) => sum + portsOf(service), 0) - had;
  if (others + count <= most) return;
  const words = `all Services of namespace ${namespace} may have ${most} ports (styr settings: service-ports-per-namespace): the others have ${others}, and this one wants ${count}`;
  throw forbidden({ plural: "services", kind: services }, name, words);
}

function portsOf({ spec }: Service): number {
  return spec.ports?.length ?? 0;
}
