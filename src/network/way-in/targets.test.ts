import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry, NodeEntry, RouteEntry } from "../../model/network.ts";
import { SystemClock } from "../../seams/clock.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { planWayIn } from "./plan.ts";
import type { ServerCounts } from "./stats.ts";
import { Targets } from "./targets.ts";
import { Unreached } from "./unreached.ts";
import { WaysIn } from "./ways-in.ts";

const HERE: NodeEntry = { kind: "node", id: "n1", address: "192.0.2.1", podRange: "10.42.0.0/24", isWayIn: true };
const THERE: NodeEntry = { ...HERE, id: "n2", address: "192.0.2.2", podRange: "10.42.1.0/24" };
const ROUTE: RouteEntry = {
  ...{ kind: "route", id: "r", host: "a.example", path: "/", pathType: "prefix", service: "a/s", port: "http" },
  source: "Ingress a/s",
};

const [BACKEND = ""] = planWayIn([ROUTE]).backends.keys();
const PORTS = { httpPort: 80, httpsPort: 443 };

class World {
  readonly state = new NetworkState("n1");
  readonly #waysIn = new WaysIn();
  /** What comes of a connection to each place; absent: it is open. */
  readonly answers = new Map<string, string>();
  readonly unreached = new Unreached({
    clock: new SystemClock(),
    knock: async ({ to, port }) => this.answers.get(`${to}:${port}`) ?? "open",
  });
  readonly targets = new Targets(this.#waysIn, this.unreached);
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

  /** A round: what HAProxy has counted is heard, copies are tried. */
  async round(counts: readonly ServerCounts[] = []): Promise<void> {
    this.unreached.keep(this.targets);
    this.unreached.hear(BACKEND, counts);
    const services = this.targets.servicesAt(await this.unreached.tryAgain());
    this.targets.look(this.state, new Set(services), () => []);
  }

  get servers(): readonly string[] {
    return this.targets.slots(BACKEND).flatMap((slot) => (slot?.state === "on" ? `${slot.address}:${slot.port}` : []));
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

  const PLACES = ["10.42.1.5:80", "10.42.2.6:80", "192.0.2.3:80"];
  const PODS = endpoints(80, "10.42.1.5", "10.42.2.6", "192.0.2.3");
  const count = (place: string, failed: number, answered: number): ServerCounts => ({
    ...{ name: `s${PLACES.indexOf(place) + 1}`, backend: BACKEND, place, failed, answered },
  });

  test("a copy at which connects fail, and which takes none from here, gets no requests until it takes one; it is said", async () => {
    const world = new World([HERE, PODS]);
    const [first = "", second = "", third = ""] = PLACES;
    world.answers.set(first, "EHOSTUNREACH").set(second, "ECONNREFUSED");
    await world.round();
    assert.deepEqual(world.servers, PLACES, "nobody was sent there");
    await world.round([count(first, 1, 0), count(second, 2, 0), count(third, 0, 9)]);
    assert.deepEqual(world.servers, [third]);
    assert.deepEqual(world.targets.words, [
      "Ingress a/s: 2 of 3 copies take no connections from n1 (10.42.1.5:80: EHOSTUNREACH, 10.42.2.6:80: refused), and get no requests: does a NetworkPolicy keep 192.0.2.1 out? styr network trace n1 10.42.1.5:80",
    ]);
    const led = world.targets.troublesOf(planWayIn([ROUTE]));
    assert.match(Object.values(led ?? {}).join(), /^2 of 3 copies take no connections/);
    world.answers.delete(first);
    await world.round();
    assert.deepEqual(world.servers, [first, third]);
    world.answers.delete(second);
    await world.round();
    assert.deepEqual([world.servers, world.targets.words], [PLACES, []]);
  });

  test("when none takes any, all are tried: it may be the fault of this host", async () => {
    const world = new World([HERE, PODS]);
    for (const place of PLACES) world.answers.set(place, "ECONNREFUSED");
    await world.round(PLACES.map((place) => count(place, 1, 0)));
    assert.deepEqual(world.servers, PLACES);
    assert.match(
      world.targets.words.join(),
      /3 of 3 copies take no .*all are tried all the same: does the program listen/,
    );
    world.answers.delete(PLACES[1] ?? "");
    await world.round();
    assert.deepEqual(world.servers, [PLACES[1]]);
  });

  test("one that answers others meanwhile, or takes a connection, is slow and not closed", async () => {
    const world = new World([HERE, PODS]);
    const [first = "", second = ""] = PLACES;
    await world.round([count(first, 3, 1), count(second, 1, 0)]);
    assert.deepEqual(world.servers, PLACES, "both take connections");
    world.answers.set(first, "EHOSTUNREACH");
    await world.round([count(first, 5, 2), count(second, 1, 0)]);
    assert.deepEqual(world.servers, PLACES, "requests were answered");
    await world.round([count(first, 6, 2)]);
    assert.deepEqual(world.servers, PLACES.slice(1));
  });

  test("of one that is no copy any more nothing is said, and another at its place is not taken for it", async () => {
    const world = new World([HERE, PODS]);
    const [first = ""] = PLACES;
    world.answers.set(first, "ECONNREFUSED");
    await world.round([count(first, 1, 0)]);
    world.hear([endpoints(80, "10.42.2.6")]);
    assert.deepEqual([world.servers, world.targets.words], [PLACES.slice(1, 2), []]);
    await world.round();
    world.hear([PODS]);
    assert.deepEqual(world.servers.length, 3);
  });
});
