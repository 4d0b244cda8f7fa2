import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EndpointEntry, EndpointsEntry, ServiceEntry } from "../../model/network.ts";
import { hairpinsOf, type Place, planService } from "./plan-service.ts";

const HERE: Place = { node: "n1", zone: "z1", lostNodes: new Set(["lost"]) };

function serviceOf(more: Partial<ServiceEntry> = {}): ServiceEntry {
  return {
    ...{ kind: "service", id: "default/web", addresses: ["10.96.0.10"] },
    ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
    ports: [{ name: "http", protocol: "tcp", port: 80, nodePort: 30080 }],
    ...more,
  };
}

function sliceOf(endpoints: readonly EndpointEntry[], port = 8080, id = "1"): EndpointsEntry {
  const ports = [{ name: "http", protocol: "tcp", port } as const];
  return { kind: "endpoints", id, service: "default/web", ports, endpoints };
}

const at = (last: number, more: Partial<EndpointEntry> = {}): EndpointEntry => ({
  ...{ address: `10.42.0.${last}`, state: "ready", node: "n2", zone: "z2" },
  ...more,
});

function inside(service: ServiceEntry, ...endpoints: readonly EndpointEntry[]): readonly string[] {
  return planService(service, [sliceOf(endpoints)], HERE).ports[0]?.inside.map(({ address }) => address.slice(8)) ?? [];
}

describe("who takes new connections of a Service:", () => {
  const rows: readonly (readonly [
    why: string,
    more: Partial<ServiceEntry>,
    endpoints: EndpointEntry[],
    wanted: string[],
  ])[] = [
    ["all that are ready", {}, [at(2), at(1)], ["1", "2"]],
    ["nobody who is not ready", {}, [at(1), at(2, { state: "waiting" })], ["1"]],
    ["who is not ready, where that is asked for", { publishNotReady: true }, [at(2, { state: "waiting" })], ["2"]],
    ["nobody who drains, while others are ready", {}, [at(1), at(2, { state: "draining" })], ["1"]],
    ["who drains, when nobody else is there", {}, [at(2, { state: "draining" })], ["2"]],
    ["nobody on a lost node, while others are there", {}, [at(1), at(2, { node: "lost" })], ["1"]],
    ["who drains before who is on a lost node", {}, [at(1, { node: "lost" }), at(2, { state: "draining" })], ["2"]],
    ["who is on a lost node, when nobody else is there", {}, [at(1, { node: "lost" })], ["1"]],
    ["this node's own, where that is asked for", { prefer: "same-node" }, [at(1), at(2, { node: "n1" })], ["2"]],
    ["this zone's, when this node has none", { prefer: "same-node" }, [at(1), at(2, { zone: "z1" })], ["2"]],
    [
      "this zone's, where that is asked for",
      { prefer: "same-zone" },
      [at(1), at(2, { zone: "z1" }), at(3, { zone: "z1" })],
      ["2", "3"],
    ],
    ["everybody, when nobody is near", { prefer: "same-zone" }, [at(1), at(2)], ["1", "2"]],
    [
      "who is far and ready before who is near and drains",
      { prefer: "same-node" },
      [at(1), at(2, { node: "n1", state: "draining" })],
      ["1"],
    ],
    [
      "only this node's, when traffic is kept local",
      { internalTraffic: "local" },
      [at(1), at(2, { node: "n1" })],
      ["2"],
    ],
    ["nobody, when traffic is kept local and there is none", { internalTraffic: "local" }, [at(1)], []],
    [
      "this node's that drains, when traffic is kept local",
      { internalTraffic: "local" },
      [at(1), at(2, { node: "n1", state: "draining" })],
      ["2"],
    ],
    [
      "nobody whose address is no IPv4 address",
      {},
      [at(1), at(0, { address: "10.42.0.999" }), at(0, { address: "fd00::1" })],
      ["1"],
    ],
  ];
  for (const [why, more, endpoints, wanted] of rows)
    test(why, () => assert.deepEqual(inside(serviceOf(more), ...endpoints), wanted));

  test("an endpoint that stands in two slices is one, and the better word counts", () => {
    const slices = [sliceOf([at(1, { state: "draining" })], 8080, "1"), sliceOf([at(1)], 8080, "2")];
    const [port] = planService(serviceOf(), slices, HERE).ports;
    assert.deepEqual(port?.inside, [{ address: "10.42.0.1", port: 8080, isHere: false }]);
  });

  test("a port goes to the ports of its own name and protocol, which may differ from slice to slice", () => {
    const slices = [sliceOf([at(1)], 8080, "1"), sliceOf([at(2)], 9090, "2")];
    const [port] = planService(serviceOf(), slices, HERE).ports;
    assert.deepEqual(
      port?.inside.map(({ port: to }) => to),
      [8080, 9090],
    );
    const other = serviceOf({ ports: [{ name: "http", protocol: "udp", port: 80 }] });
    assert.deepEqual(planService(other, slices, HERE).ports[0]?.inside, []);
  });

  test("a headless Service and one that is another name need no rules", () => {
    const ports = [{ name: "http", protocol: "tcp", port: 80 } as const];
    assert.deepEqual(planService(serviceOf({ addresses: [], ports }), [sliceOf([at(1)])], HERE).ports, []);
    assert.deepEqual(
      planService(serviceOf({ addresses: [], ports: [], externalName: "example.org" }), [], HERE).ports,
      [],
    );
  });
});

test("a pod may reach itself through its Service where it is on this node, and where nobody said on which it is", () => {
  const { node: _node, ...anywhere } = at(3);
  const [port] = planService(serviceOf(), [sliceOf([at(1, { node: "n1" }), at(2), anywhere])], HERE).ports;
  assert.ok(port);
  assert.deepEqual([...hairpinsOf(port)], ["10.42.0.1", "10.42.0.3"]);
});

test("of an endpoint that stands in two slices, as while it moves, the better word counts, in either order", () => {
  const slices = [sliceOf([at(1)], 8080, "a"), sliceOf([at(1, { state: "waiting" })], 8080, "b")];
  for (const order of [slices, slices.toReversed()]) {
    const [port] = planService(serviceOf(), order, HERE).ports;
    assert.deepEqual(
      port?.inside.map(({ address }) => address),
      ["10.42.0.1"],
    );
  }
});

test("flows to endpoints of a lost node are not kept: nobody answers them", () => {
  const [port] = planService(serviceOf(), [sliceOf([at(1), at(2, { node: "lost" })])], HERE).ports;
  assert.deepEqual(port?.keeps, ["10.42.0.1"]);
});
