/** Keeps, beside every Service with a selector, an Endpoints object of the same name: where its traffic may go. */
import { type Endpoints, endpoints } from "../model/endpoints.ts";
import { matchesLabels } from "../model/label-selector.ts";
import { keyOf, type ObjectMeta } from "../model/meta.ts";
import { namespaces } from "../model/namespace.ts";
import { pods } from "../model/pod.ts";
import { type Service, selectsPods, services } from "../model/service.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Tx } from "../store/transaction.ts";
import { sameJson } from "../store/transaction.ts";
import { type Controller, wakes } from "./controller.ts";
import { podsOf, servicesTouched } from "./endpoint-slices/service-pods.ts";
import { planSubsets } from "./endpoints-subsets.ts";

/** Source: pkg/controller/endpoint: objects that hand-made Endpoints do not carry. */
const MANAGED_BY = { "endpoints.kubernetes.io/managed-by": "endpoint-controller" };
/** Kubernetes' annotation; here, of large ones, when they were written last. */
const CHANGED_AT = "endpoints.kubernetes.io/last-change-trigger-time";
/** An object of more addresses is written whole for each of them (158 kB for 1,000): changes that come soon after are written together. */
const LARGE = 100;
/** Moments are stored in whole seconds: at least one passes. */
const GATHER_MS = 2_000;

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
    const waitMs = present ? gatherMs(present, tx.nowMs) : 0;
    if (waitMs > 0) return { afterMs: waitMs };
    write(tx, service, present);
    return undefined;
  },
};

function isOurs({ metadata }: Endpoints): boolean {
  return matchesLabels(MANAGED_BY, metadata.labels);
}

function gatherMs({ metadata }: Endpoints, nowMs: number): number {
  const changedMs = Date.parse(metadata.annotations?.[CHANGED_AT] ?? "");
  // A clock that was put back must not hold it for longer.
  return changedMs <= nowMs ? Math.max(0, changedMs + GATHER_MS - nowMs) : 0;
}

function annotationsOf(subsets: Endpoints["subsets"] = [], nowMs: number): ObjectMeta["annotations"] {
  const count = subsets.reduce(
    (sum, { addresses = [], notReadyAddresses = [] }) => sum + addresses.length + notReadyAddresses.length,
    0,
  );
  return count > LARGE ? { [CHANGED_AT]: rfc3339(nowMs) } : undefined;
}

function write(tx: Tx, service: Service, present: Endpoints | undefined): void {
  const { name, namespace = "", labels } = service.metadata;
  const subsets = planSubsets(service, podsOf(tx, service));
  const wanted = { ...labels, ...MANAGED_BY };
  const annotations = annotationsOf(subsets, tx.nowMs);
  if (!present) {
    if (tx.get(namespaces, namespace)?.status.phase === "Terminating") return;
    tx.create<Endpoints>(endpoints, {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name, namespace, labels: wanted, ...(annotations ? { annotations } : {}) },
      subsets,
    });
    return;
  }
  if (sameJson(present.subsets ?? [], subsets) && matchesLabels(wanted, present.metadata.labels)) return;
  const { annotations: { [CHANGED_AT]: _before, ...others } = {}, ...metadata } = present.metadata;
  const kept = { ...others, ...annotations };
  const said = Object.keys(kept).length > 0 ? { annotations: kept } : {};
  tx.update(endpoints, { ...present, metadata: { ...metadata, ...said, labels: wanted }, subsets });
}
