/** Keeps, beside every Service with a selector, an Endpoints object of the same name: where its traffic may go. */
import { type Endpoints, endpoints } from "../model/endpoints.ts";
import { matchesLabels } from "../model/label-selector.ts";
import { keyOf } from "../model/meta.ts";
import { namespaces } from "../model/namespace.ts";
import { pods } from "../model/pod.ts";
import { type Service, selectsPods, services } from "../model/service.ts";
import type { Tx } from "../store/transaction.ts";
import { sameJson } from "../store/transaction.ts";
import { type Controller, wakes } from "./controller.ts";
import { podsOf, servicesTouched } from "./endpoint-slices/service-pods.ts";
import { planSubsets } from "./endpoints-subsets.ts";

/** Source: pkg/controller/endpoint: objects that hand-made Endpoints do not carry. */
const MANAGED_BY = { "endpoints.kubernetes.io/managed-by": "endpoint-controller" };

export const endpointsController: Controller = {
  name: "endpoints",
  wakers: [
    wakes(services, (service) => [keyOf(service)]),
    wakes(pods, servicesTouched),
    wakes(endpoints, (object) => [keyOf(object)]),
  ],
  reconcile(key, tx) {
    const service = tx.get(services, key);
    const present = tx.get(endpoints, key);
    if (!service) {
      if (present && isOurs(present)) tx.remove(endpoints, key);
      return undefined;
    }
    // Without a selector the user writes the Endpoints.
    if (!selectsPods(service)) return undefined;
    write(tx, service, present);
    return undefined;
  },
};

function isOurs({ metadata }: Endpoints): boolean {
  return matchesLabels(MANAGED_BY, metadata.labels);
}

function write(tx: Tx, service: Service, present: Endpoints | undefined): void {
  const { name, namespace = "", labels } = service.metadata;
  const subsets = planSubsets(service, podsOf(tx, service));
  const wanted = { ...labels, ...MANAGED_BY };
  if (!present) {
    if (tx.get(namespaces, namespace)?.status.phase === "Terminating") return;
    tx.create<Endpoints>(endpoints, {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name, namespace, labels: wanted },
      subsets,
    });
    return;
  }
  if (sameJson(present.subsets ?? [], subsets) && matchesLabels(wanted, present.metadata.labels)) return;
  tx.update(endpoints, { ...present, metadata: { ...present.metadata, labels: wanted }, subsets });
}
