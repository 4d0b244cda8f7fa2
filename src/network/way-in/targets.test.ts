import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry, NodeEntry, RouteEntry } from "../../model/network.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { planWayIn } from "./plan.ts";
import { Targets } from "./targets.ts";
import { WaysIn } from "./ways-in.ts";

const HERE: NodeEntry = { kind: "node", id: "n1", address: "192.0.2.1", podRange: "10.42.0.0/24", isWayIn: true };
const THERE: NodeEntry = { ...HERE, id: "n2", address: "192.0.2.2", podRange: "10.42.1.0/24" };
const ROUTE: RouteEntry = {
  ...{ kind: "route", id: "r", host: "a.example", path: "/", pathType: "prefix", service: "a/s", port: "http" },
  source: "Ingress a/s",
};

const PORTS = { httpPort: 80, httpsPort: 443 };

class World {
  readonly state = new NetworkState("n1");
  readonly #waysIn = new WaysIn();
  readonly targets = new Targets(this.#waysIn);
  #revision = 0;

  constructor(entries: readonly NetworkEntry[]) {
    this.targets.follow(planWayIn([ROUTE]).backends.values());
    this.hear(entries);
  }

  hear(entries: readonly NetworkEntry[]): void {
    const touched = new Touched();
    const [revision, isFirst] = [++this.#revision, this.#revision === 1];
    this.state.hear(
      isFirst ? { type: "all", revision, entries } : { type: "changed", revision, entries, removed: [] },
      touched,
    );
    const areOther = this.#waysIn.follow(this.state, isFirst ? undefined : touched.nodes, PORTS);
    this.targets.look(this.state, areOther ? undefined : touched.services, () => []);
  }

  get servers(): readonly string[] {
    const [name = ""] = planWayIn([ROUTE]).backends.keys();
    return this.targets.slots(name).flatMap((slot) => (slot?.state === "on" ? `${slot.address}:${slot.port}` : []));
  }
}

function endpoints(port: number, ...addresses: readonly string[]): NetworkEntry {
  return {
    ...({ kind: "endpoints", id: `s ${port}`, service: "a/s" } as const),
    ports: [{ name: "http", protocol: "tcp", port }],
    endpoints: addresses.map((address) => ({ address, state: "ready" })),
  };
}

describe("servers of the way in:", () => {
  test("no way in is one, at none of its addresses: each request would come in again without an end", () => {
    const others = ["192.0.2.3", "10.42.0.7"];
    const { servers, targets } = new World([HERE, THERE, endpoints(80, "192.0.2.1", "192.0.2.2", ...others)]);
    assert.deepEqual([...servers].sort(), ["10.42.0.7:80", "192.0.2.3:80"]);
    assert.deepEqual(targets.words, [
      "Ingress a/s: 192.0.2.1:80 is the way in of n1 itself, 192.0.2.2:80 is the way in of n2 itself",
    ]);
    assert.deepEqual(new World([HERE, THERE, endpoints(443, "10.42.0.1", "10.42.1.1")]).servers, []);
  });

  test("what else answers at its host is one", () => {
    const { servers, targets } = new World([HERE, endpoints(8080, "192.0.2.1")]);
    assert.deepEqual([servers, targets.words], [["192.0.2.1:8080"], []]);
  });

  test("of another node its own ports count, as it says them", () => {
    const other = { ...THERE, wayInPorts: [8080, 8443] };
    assert.deepEqual(new World([HERE, other, endpoints(80, THERE.address)]).servers, ["192.0.2.2:80"]);
    assert.deepEqual(new World([HERE, other, endpoints(8443, THERE.address)]).servers, []);
  });

  test("a node that becomes a way in is one no more, and one again when it is none", () => {
    const { isWayIn: _, ...none } = THERE;
    const world = new World([HERE, none, endpoints(80, THERE.address)]);
    assert.deepEqual(world.servers, ["192.0.2.2:80"]);
    world.hear([THERE]);
    assert.deepEqual(world.servers, []);
    world.hear([none]);
    assert.deepEqual([world.servers, world.targets.words], [["192.0.2.2:80"], []]);
  });
});
