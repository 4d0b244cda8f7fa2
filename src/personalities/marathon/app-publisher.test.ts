import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod } from "../../model/pod.ts";
import { appPublisher } from "./app-publisher.ts";
import { discoverApp } from "./discovery.ts";
import type { App } from "./kinds.ts";
import { withServicePorts } from "./service-ports.ts";
import { definitionOf } from "./test-app.ts";
import { translateApp } from "./translate.ts";

const MADE = "2026-01-01T00:00:00Z";

function app(json: object, more: Partial<App["spec"]> = {}, metadata: Partial<App["metadata"]> = {}): App {
  const own = { name: "shop-cart", namespace: "marathon", uid: "u1", resourceVersion: "1", generation: 1 };
  const definition = definitionOf({ cmd: "sleep 100", ...json });
  return {
    ...{ apiVersion: "marathon/v2", kind: "App", status: {} },
    metadata: { ...own, creationTimestamp: MADE, ...metadata },
    spec: { definition, ...more },
  };
}

const LABELS = { HAPROXY_GROUP: "external", HAPROXY_0_VHOST: "shop.example.org" };
const PORT = { portDefinitions: [{ port: 10_300, name: "http" }] };

describe("Marathon: what an app publishes", () => {
  test("is its service ports and routes, as old as the app, and stands while no instance is wanted", () => {
    for (const instances of [0, 2]) {
      const { services, routes } = appPublisher.tell(app({ instances, labels: LABELS, ...PORT }));
      assert.deepEqual(services, [
        {
          ...{ id: "marathon:/shop/cart", name: "/shop/cart", since: MADE },
          ports: [{ id: "0", name: "http", protocol: "tcp", servicePort: 10_300 }],
        },
      ]);
      assert.deepEqual(
        routes.map(({ host, service, port, since }) => ({ host, service, port, since })),
        [{ host: "shop.example.org", service: "marathon:/shop/cart", port: "0", since: MADE }],
      );
    }
  });

  test("a port for tcp and udp is both, by the names that instances say", () => {
    const { services } = appPublisher.tell(
      app({ portDefinitions: [{ port: 10_053, protocol: "udp,tcp", name: "dns" }, { port: 10_054 }] }),
    );
    assert.deepEqual(services[0]?.ports, [
      { id: "0", name: "dns", protocol: "tcp", servicePort: 10_053 },
      { id: "0", name: "dns-udp", protocol: "udp", servicePort: 10_053 },
      { id: "1", name: "port-1", protocol: "tcp", servicePort: 10_054 },
    ]);
  });

  test("instances of every version answer for it: a port is known by its place, whatever a version calls it", () => {
    const mapped = (...portMappings: readonly object[]) => ({
      networks: [{ mode: "container", name: "styrmann" }],
      container: { type: "DOCKER", docker: { image: "a" }, portMappings },
    });
    const before = app(mapped({ containerPort: 80 }, { containerPort: 53, protocol: "udp,tcp" }));
    const draft = translateApp(
      before.spec.definition,
      { taskId: "t", podName: "shop-cart-x7k2m", stagedAtMs: 0 },
      before,
    );
    const status = { phase: "Running", hostIP: "10.0.0.1", podIP: "10.42.0.5" } as const;
    const [endpoint] = discoverApp({ ...draft, status } as unknown as Pod)?.services ?? [];
    const after = app(
      mapped({ containerPort: 8080, name: "http" }, { containerPort: 53, protocol: "udp,tcp", name: "dns" }),
    );
    const { services } = appPublisher.tell(
      app(mapped({ containerPort: 8080, name: "http" }, { containerPort: 53, protocol: "udp,tcp", name: "dns" }), {
        definition: withServicePorts(after.spec.definition, new Set()),
      }),
    );
    const idsOf = (ports: readonly { readonly id: string; readonly protocol: string }[] = []) =>
      ports.map(({ id, protocol }) => `${id}/${protocol}`);
    assert.deepEqual(idsOf(services[0]?.ports), ["0/tcp", "1/tcp", "1/udp"]);
    assert.deepEqual(idsOf(endpoint?.ports), idsOf(services[0]?.ports));
    assert.equal(endpoint?.id, services[0]?.id);
  });

  test("is what runs at present, until a deployment comes to the next version", () => {
    const active = definitionOf({ cmd: "sleep 100", portDefinitions: [{ port: 10_299 }] });
    const { services, routes } = appPublisher.tell(app({ labels: LABELS, ...PORT }, { active }));
    assert.deepEqual(services[0]?.ports, [{ id: "0", name: "port-0", protocol: "tcp", servicePort: 10_299 }]);
    assert.deepEqual(routes, []);
  });

  test("of an app that was deleted its hosts are free at once, its service ports as soon as another wants them, and when its tasks have stopped", () => {
    const { services, routes } = appPublisher.tell(
      app({ labels: LABELS, ...PORT }, {}, { deletionTimestamp: "2026-01-02T00:00:00Z" }),
    );
    assert.deepEqual(routes, []);
    assert.deepEqual([services[0]?.ports.length, services[0]?.since], [1, undefined]);
  });
});
