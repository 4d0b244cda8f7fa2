import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EndpointSubset, Endpoints } from "../../model/endpoints.ts";
import { isMirrored, mirroredEndpoints } from "./mirrored-endpoints.ts";

function written(subsets: readonly EndpointSubset[], more: Partial<Endpoints["metadata"]> = {}): Endpoints {
  const metadata = { name: "db", namespace: "shop", uid: "u", resourceVersion: "1", generation: 1 };
  const at = { creationTimestamp: "2026-01-01T00:00:00Z" };
  return { apiVersion: "v1", kind: "Endpoints", metadata: { ...metadata, ...at, ...more }, subsets };
}

const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => ({ ip: `192.0.${(from + at) >> 8}.${(from + at) & 255}` }));

describe("Endpoints that somebody wrote", () => {
  test("become slices, unless they are a lock of a leader's election, or whoever wrote them makes slices too", () => {
    const lock = { annotations: { "control-plane.alpha.kubernetes.io/leader": '{"holderIdentity":"a"}' } };
    const skipped = { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } };
    assert.equal(isMirrored(written([])), true);
    assert.equal(isMirrored(written([], lock)), false);
    assert.equal(isMirrored(written([], { annotations: { ...lock.annotations, other: "x" } })), false);
    assert.equal(isMirrored(written([], skipped)), false);
    assert.equal(isMirrored(written([], { labels: { "endpointslice.kubernetes.io/skip-mirror": "false" } })), true);
  });

  test("a thousand of each subset are taken, those that are ready first", () => {
    const ports = (port: number) => [{ port, protocol: "TCP" as const }];
    const wanted = mirroredEndpoints(
      written([
        { notReadyAddresses: many(50, 5000), addresses: many(990), ports: ports(5432) },
        { addresses: many(1001, 2000), ports: ports(5433) },
      ]),
    );
    const of = (port: number) => wanted.filter(({ ports: [own] }) => own?.port === port);
    assert.equal(of(5432).length, 1000);
    assert.equal(of(5432).filter(({ endpoint }) => endpoint.conditions?.ready === true).length, 990);
    assert.equal(of(5433).length, 1000);
  });
});
