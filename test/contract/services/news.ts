/** Random news of a network, for properties: few Services, slices and nodes, so that they get in each other's way. */
import fc from "fast-check";

const state = fc.constantFrom("ready", "draining", "waiting" as const);
const node = fc.constantFrom("n1", "n2", "n3");
const endpoint = fc.record({ address: fc.integer({ min: 1, max: 6 }).map((n) => `10.42.0.${n}`), state, node });
const serviceId = fc.constantFrom("default/a", "default/b", "marathon:c");
const serviceEntry = fc.record(
  {
    kind: fc.constant("service" as const),
    id: serviceId,
    addresses: fc.constantFrom([], ["10.96.0.1"], ["10.96.0.2"], ["10.96.0.2", "10.96.0.3"]),
    ports: fc.uniqueArray(
      fc.record(
        {
          ...{ name: fc.constantFrom("x", "y"), protocol: fc.constantFrom("tcp" as const, "udp" as const) },
          ...{ port: fc.constantFrom(53, 80), nodePort: fc.constantFrom(30_001, 30_002) },
        },
        { requiredKeys: ["name", "protocol", "port"] },
      ),
      { selector: ({ name }) => name, maxLength: 2 },
    ),
    affinitySeconds: fc.constantFrom(10, 20),
    externalTraffic: fc.constantFrom("cluster" as const, "local" as const),
    internalTraffic: fc.constantFrom("cluster" as const, "local" as const),
    prefer: fc.constantFrom("same-node" as const, "same-zone" as const),
  },
  { requiredKeys: ["kind", "id", "addresses", "ports", "externalTraffic", "internalTraffic"] },
);
const endpointsEntry = fc.record({
  ...{ kind: fc.constant("endpoints" as const), id: fc.constantFrom("s1", "s2", "s3"), service: serviceId },
  ports: fc.constantFrom([
    { name: "x", protocol: "tcp" as const, port: 8080 },
    { name: "y", protocol: "udp" as const, port: 5353 },
  ]),
  endpoints: fc.array(endpoint, { maxLength: 4 }),
});
const nodeEntry = fc.record({
  ...{ kind: fc.constant("node" as const), id: fc.constantFrom("n1", "n2"), address: fc.constant("192.0.2.1") },
  ...{ podRange: fc.constantFrom("10.42.0.0/24", "10.42.1.0/24"), zone: fc.constantFrom("z1", "z2") },
});
const cluster = fc.record({
  ...{
    kind: fc.constant("cluster" as const),
    id: fc.constant("cluster" as const),
    podRange: fc.constant("10.42.0.0/16"),
  },
  serviceRange: fc.constantFrom("10.96.0.0/12", "10.96.0.0/16"),
  ...{ domain: fc.constant("cluster.local"), mode: fc.constant("auto" as const) },
});
const removed = fc.record({
  kind: fc.constantFrom("service" as const, "endpoints" as const),
  id: fc.oneof(serviceId, fc.constantFrom("s1", "s2")),
});
export const newsStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.oneof(serviceEntry, endpointsEntry, endpointsEntry, nodeEntry, cluster).map((entry) => ({ entry })),
  },
  { weight: 2, arbitrary: removed.map((gone) => ({ gone })) },
  { weight: 1, arbitrary: fc.record({ lost: fc.constantFrom("n2", "n3"), isLost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constantFrom({ fault: "refused" as const }, { fault: "restart" as const }) },
);
