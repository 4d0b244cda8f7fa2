import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { EndpointShares, leftOutWords, type ServiceTerms, termsOf } from "./endpoint-shares.ts";
import { type EndpointSlice, SERVICE_LABEL } from "./endpoint-slice.ts";
import type { Service } from "./service.ts";

interface Sketch {
  readonly service: string;
  readonly endpoints: number;
  readonly ports?: number;
  readonly namespace?: string;
  readonly since?: string;
}

function sliceOf(
  name: string,
  { service, endpoints, ports = 1, namespace = "shop", since = "1" }: Sketch,
): EndpointSlice {
  return {
    ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4" },
    metadata: {
      ...{ name, namespace, uid: name, resourceVersion: "1", generation: 1, creationTimestamp: since },
      labels: { [SERVICE_LABEL]: service },
    },
    endpoints: Array.from({ length: endpoints }, (_, at) => ({ addresses: [`10.42.0.${at + 1}`] })),
    ports: Array.from({ length: ports }, (_, at) => ({ name: `p${at}`, port: at + 1 })),
  };
}

/** Services are as old as their names say: `a` before `b`. */
class Shop {
  readonly shares = new EndpointShares();
  ages: Record<string, string> = { "shop/a": "1", "shop/b": "2", "shop/c": "3" };
  weights: Record<string, number> = {};

  put(name: string, sketch: Sketch): void {
    const { namespace = "shop" } = sketch;
    this.shares.claim(`${namespace}/${name}`, sliceOf(name, sketch), (service) => this.terms(service));
  }

  terms(service: string): ServiceTerms | undefined {
    const since = this.ages[service];
    return since === undefined ? undefined : { since, weight: this.weights[service] ?? 1 };
  }

  take(name: string): void {
    this.shares.claim(`shop/${name}`, undefined, () => undefined);
  }

  out(names: readonly string[]): readonly string[] {
    return names.filter((name) => this.shares.isLeftOut(`shop/${name}`));
  }
}

describe("which endpoints nodes are told of", () => {
  test("all, while the namespace has no more than it may; endpoints count once for each port", () => {
    const shop = new Shop();
    shop.put("a-1", { service: "a", endpoints: 10, ports: 3 });
    assert.equal(shop.shares.settle(30).slices.size, 0);
    assert.deepEqual([...shop.shares.settle(29).slices], ["shop/a-1"]);
  });

  test("the older Service first, of one Service the older slices, and a smaller one has what is left", () => {
    const shop = new Shop();
    shop.put("c-1", { service: "c", endpoints: 20 });
    shop.put("b-2", { service: "b", endpoints: 60, since: "5" });
    shop.put("b-1", { service: "b", endpoints: 30, since: "4" });
    shop.put("a-1", { service: "a", endpoints: 50 });
    const { slices, services } = shop.shares.settle(100);
    assert.deepEqual([[...slices], [...services]], [["shop/b-2"], ["shop/b"]]);
    assert.deepEqual(shop.shares.leftOut("shop/b"), {
      ...{ told: 30, endpoints: 90, namespace: "shop", most: 100, targets: 160 },
    });
    assert.equal(shop.shares.leftOut("shop/c"), undefined);
  });

  test("who is in stays in when a younger one comes, and who was left out comes in when others go, or more is allowed", () => {
    const shop = new Shop();
    const all = ["a-1", "b-1", "c-1"];
    shop.put("a-1", { service: "a", endpoints: 60 });
    shop.put("b-1", { service: "b", endpoints: 40 });
    assert.equal(shop.shares.settle(100).slices.size, 0);
    shop.put("c-1", { service: "c", endpoints: 60 });
    assert.deepEqual([...shop.shares.settle(100).slices], ["shop/c-1"]);
    shop.take("a-1");
    assert.deepEqual([...shop.shares.settle(100).slices], ["shop/c-1"]);
    assert.deepEqual(shop.out(all), []);
    shop.put("a-1", { service: "a", endpoints: 60 });
    shop.shares.settle(100);
    assert.deepEqual(shop.out(all), ["c-1"]);
    assert.deepEqual([...shop.shares.settle(160).slices], ["shop/c-1"]);
    assert.deepEqual(shop.out(all), []);
  });

  test("a Service of which nothing is left out any longer is named, also when what was left out is gone", () => {
    const shop = new Shop();
    shop.put("a-1", { service: "a", endpoints: 5 });
    shop.put("a-2", { service: "a", endpoints: 5 });
    shop.shares.settle(5);
    shop.take("a-2");
    assert.deepEqual([...shop.shares.settle(5).services], ["shop/a"]);
    assert.equal(shop.shares.leftOut("shop/a"), undefined);
  });

  test("slices of a Service that is not there come last, and take its place when it comes", () => {
    const shop = new Shop();
    shop.put("0-1", { service: "0", endpoints: 8 });
    shop.put("a-1", { service: "a", endpoints: 8 });
    shop.shares.settle(10);
    assert.deepEqual(shop.out(["0-1", "a-1"]), ["0-1"]);
    shop.shares.setTerms("shop/0", { since: "0", weight: 1 });
    shop.shares.settle(10);
    assert.deepEqual(shop.out(["0-1", "a-1"]), ["a-1"]);
    shop.shares.setTerms("shop/0", undefined);
    shop.shares.settle(10);
    assert.deepEqual(shop.out(["0-1", "a-1"]), ["0-1"]);
  });

  test("endpoints of a Service that remembers its clients count for more, from the moment it does", () => {
    const shop = new Shop();
    shop.weights = { "shop/b": 5 };
    shop.put("a-1", { service: "a", endpoints: 10 });
    shop.put("b-1", { service: "b", endpoints: 10 });
    assert.deepEqual([...shop.shares.settle(60).slices], []);
    shop.put("b-2", { service: "b", endpoints: 1 });
    assert.deepEqual([...shop.shares.settle(60).slices], ["shop/b-2"]);
    shop.shares.setTerms("shop/b", { since: "2", weight: 1 });
    assert.deepEqual([...shop.shares.settle(60).slices], ["shop/b-2"]);
    assert.deepEqual(shop.out(["a-1", "b-1", "b-2"]), []);
    shop.shares.setTerms("shop/a", { since: "1", weight: 5 });
    assert.deepEqual([...shop.shares.settle(60).slices], ["shop/b-2"]);
  });

  test("clients from outside are more than those of a node's own pods", () => {
    const weight = (spec: Service["spec"]) =>
      termsOf({ ...sliceOf("x", { service: "a", endpoints: 0 }), kind: "Service", spec, status: {} }).weight;
    const [inside, outside] = [{ port: 80 }, { port: 80, nodePort: 30_080 }];
    assert.equal(weight({ ports: [outside] }), 1);
    assert.equal(weight({ sessionAffinity: "ClientIP", ports: [inside] }), 5);
    assert.equal(weight({ sessionAffinity: "ClientIP", ports: [inside, outside] }), 50);
  });

  test("one namespace takes nothing from another; empty slices and those without ports count, too", () => {
    const shop = new Shop();
    shop.put("a-1", { service: "a", endpoints: 0, ports: 8 });
    shop.put("b-1", { service: "b", endpoints: 8, ports: 0 });
    shop.put("x-1", { service: "x", endpoints: 10, namespace: "other" });
    assert.deepEqual([...shop.shares.settle(10).slices], ["shop/b-1"]);
  });

  test("a server that reads everything anew comes to the same as the one that saw it come, whatever came and went", () => {
    const step = fc.record({
      name: fc.constantFrom("1", "2", "3", "4", "5", "6"),
      service: fc.constantFrom("a", "b", "c", "none"),
      endpoints: fc.integer({ min: 0, max: 12 }),
      ports: fc.integer({ min: 0, max: 3 }),
      isGone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const [led, stored] = [new Shop(), new Map<string, Sketch>()];
        for (const { name, isGone, ...sketch } of steps) {
          if (isGone) led.take(name);
          else led.put(name, sketch);
          if (isGone) stored.delete(name);
          else stored.set(name, sketch);
          led.shares.settle(30);
        }
        const next = new Shop();
        for (const [name, sketch] of [...stored].reverse()) next.put(name, sketch);
        next.shares.settle(30);
        const names = [...stored.keys()];
        assert.deepEqual(led.out(names), next.out(names));
        const told = names.filter((name) => !led.out([name]).includes(name)).map((name) => stored.get(name));
        const targets = told.map((one) => Math.max(1, one?.endpoints ?? 0) * Math.max(1, one?.ports ?? 0));
        assert.ok(targets.reduce((sum, one) => sum + one, 0) <= 30);
      }),
    );
  });

  test("what is left out is said in one sentence, with the numbers and the setting", () => {
    const words = leftOutWords({ told: 300, endpoints: 900, namespace: "shop", most: 50_000, targets: 61_000 });
    assert.equal(
      words,
      "nodes are told of 300 of its 900 endpoints: all Services of namespace shop may have 50000 endpoints times ports (styr settings: service-endpoints-per-namespace) and ask for 61000; older Services come first",
    );
  });
});
