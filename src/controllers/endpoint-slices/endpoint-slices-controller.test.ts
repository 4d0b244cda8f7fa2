import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { endpointSlices } from "../../model/endpoint-slice.ts";
import { endpoints } from "../../model/endpoints.ts";
import { kernelKinds } from "../../model/kinds.ts";
import { matchesLabels } from "../../model/label-selector.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { type Service, services } from "../../model/service.ts";
import { SystemClock } from "../../seams/clock.ts";
import { silentLog } from "../../seams/log.ts";
import { SeededRandom } from "../../seams/random.ts";
import { MemoryJournal } from "../../store/journals/memory.ts";
import { Store } from "../../store/store.ts";
import { ensureSystemNamespaces } from "../../store/system-namespaces.ts";
import type { Tx } from "../../store/transaction.ts";
import { endpointsController } from "../endpoints-controller.ts";
import { ControllerRunner } from "../runner.ts";
import { endpointSlicesController } from "./endpoint-slices-controller.ts";

type Labels = Readonly<Record<string, string>>;
type Step =
  | {
      readonly does: "pod";
      readonly n: number;
      readonly labels: Labels;
      readonly isReady: boolean;
      readonly ends: boolean;
    }
  | { readonly does: "report"; readonly n: number; readonly isReady: boolean }
  | { readonly does: "no pod"; readonly n: number }
  | { readonly does: "service"; readonly n: number; readonly selector: Labels }
  | { readonly does: "no service"; readonly n: number };

const labels = fc.dictionary(fc.constantFrom("app", "tier"), fc.constantFrom("a", "b"), { maxKeys: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant("pod" as const), n: fc.nat(5), labels, isReady: fc.boolean(), ends: fc.boolean() }),
  fc.record({ does: fc.constant("report" as const), n: fc.nat(5), isReady: fc.boolean() }),
  fc.record({ does: fc.constant("no pod" as const), n: fc.nat(5) }),
  fc.record({ does: fc.constant("service" as const), n: fc.nat(2), selector: labels }),
  fc.record({ does: fc.constant("no service" as const), n: fc.nat(2) }),
);

function take(tx: Tx, each: Step): void {
  if (each.does === "no pod") tx.remove(pods, `default/p${each.n}`);
  else if (each.does === "no service") tx.remove(services, `default/s${each.n}`);
  else if (each.does === "pod") writePod(tx, each);
  else if (each.does === "report") report(tx, each.n, each.isReady);
  else writeService(tx, each);
}

function report(tx: Tx, n: number, isReady: boolean): void {
  const pod = tx.get(pods, `default/p${n}`);
  const conditions: Pod["status"]["conditions"] = [{ type: "Ready", status: isReady ? "True" : "False" }];
  if (pod) tx.update(pods, { ...pod, status: { ...pod.status, conditions } });
}

function writePod(tx: Tx, { n, labels, isReady, ends }: Extract<Step, { does: "pod" }>): void {
  const status: Pod["status"] = {
    ...{ phase: "Running", podIP: `10.42.0.${n + 2}` },
    conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
  };
  const present = tx.get(pods, `default/p${n}`);
  const going = ends ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {};
  if (present) tx.update(pods, { ...present, metadata: { ...present.metadata, labels, ...going }, status });
  else
    tx.create(pods, {
      ...{
        apiVersion: "v1",
        kind: "Pod" as const,
        metadata: { name: `p${n}`, namespace: "default", labels, ...going },
      },
      ...{ spec: { nodeName: "n1", containers: [] }, status },
    });
}

function writeService(tx: Tx, { n, selector }: Extract<Step, { does: "service" }>): void {
  const spec = { selector, ports: [{ port: 80 }], clusterIP: `10.96.0.${n + 1}` };
  const present = tx.get(services, `default/s${n}`);
  if (present) tx.update(services, { ...present, spec });
  else
    tx.create<Service>(services, {
      ...{ apiVersion: "v1", kind: "Service", metadata: { name: `s${n}`, namespace: "default" }, spec, status: {} },
    });
}

/** What each Service's slices say, and what a look at every pod says that they should. */
function compare(store: Store): void {
  for (const service of store.list(services, "default")) {
    const key = `default/${service.metadata.name}`;
    const { selector = {} } = service.spec;
    if (Object.keys(selector).length === 0) continue;
    const picked = store.list(pods).filter(({ metadata }) => matchesLabels(selector, metadata.labels));
    const isReady = ({ metadata, status }: Pod) =>
      metadata.deletionTimestamp === undefined && status.conditions?.[0]?.status === "True";
    const said = store.by(endpointSlices, "service", key).flatMap((slice) => slice.endpoints);
    assert.deepEqual(
      said.map(({ addresses, conditions }) => `${addresses[0]} ${conditions?.ready}`).sort(),
      picked.map((pod) => `${pod.status.podIP} ${isReady(pod)}`).sort(),
      key,
    );
    const ready = (store.get(endpoints, key)?.subsets ?? []).flatMap(({ addresses = [] }) => addresses);
    assert.deepEqual(
      ready.map(({ ip }) => ip).sort(),
      picked
        .filter(isReady)
        .map(({ status }) => status.podIP)
        .sort(),
    );
  }
  for (const { metadata } of store.list(endpointSlices))
    assert.ok(store.get(services, `default/${metadata.labels?.["kubernetes.io/service-name"]}`), metadata.name);
}

describe("endpoint slices", () => {
  test("whatever happens to pods and services, slices and Endpoints end up as a look at every pod says", async () => {
    const [clock, random] = [new SystemClock(), new SeededRandom("slices")];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 12 }), async (batches) => {
        const journal = new MemoryJournal();
        const store = await Store.open({ kinds: kernelKinds, journal, clock, random, log: silentLog });
        await store.update(ensureSystemNamespaces);
        const controllers = [endpointsController, endpointSlicesController];
        const runner = new ControllerRunner({ store, controllers, clock, random, log: silentLog });
        runner.start();
        for (const batch of batches) {
          await store.update((tx) => {
            for (const each of batch) take(tx, each);
          });
          await runner.settle();
          compare(store);
        }
        await runner.stop();
        await store.close();
      }),
      { numRuns: 60 },
    );
  });
});
