import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { directorySources } from "../../../src/directory/sources.ts";
import type { Publisher } from "../../../src/model/discovery.ts";
import { ingresses } from "../../../src/model/ingress.ts";
import type { NetworkEntry, RouteEntry, ServiceEntry } from "../../../src/model/network.ts";
import type { Service } from "../../../src/model/service.ts";
import { settleContest } from "../../../src/model/way-in/contest.ts";
import { allocateNodePorts } from "../../../src/personalities/kubernetes/node-ports.ts";
import { marathon } from "../../../src/personalities/marathon/index.ts";
import { Cluster } from "./cluster.ts";

/** What nodes are told of the store as it is. */
function told({ store }: Cluster): readonly NetworkEntry[] {
  const entries: NetworkEntry[] = [];
  const { discover, publisher } = marathon;
  if (!discover || !publisher) throw new Error("Marathon is found by its own names");
  const sink = {
    put: (entry: NetworkEntry) => void entries.push(entry),
    remove: () => assert.fail("nothing was told"),
  };
  for (const source of directorySources({ discovery: { discover: [discover], publishers: [publisher] } }))
    source.begin(store, sink);
  return entries;
}

function routesOf(cluster: Cluster): readonly RouteEntry[] {
  return told(cluster).filter((entry) => entry.kind === "route");
}

const HOST = "guestbook.example.org";
const app = (id: string, more: object = {}) => ({
  ...{ id, cmd: "sleep 1000", portDefinitions: [{ port: 10_300 }], labels: { HAPROXY_0_VHOST: HOST } },
  ...more,
});

describe("Marathon: an app without an instance", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
  });
  afterEach(() => cluster.close());

  const without: readonly (readonly [why: string, more: object])[] = [
    ["scaled to 0", { instances: 0 }],
    ["that no node takes", { mem: 320_000 }],
  ];
  for (const [why, more] of without)
    test(`${why}: its host stays its own, whoever else asks for it, and leads to its service, which has no endpoint`, async () => {
      const { status } = await cluster.call("POST", "/v2/apps", app("/guestbook/web", more));
      assert.equal(status, 201);
      cluster.clock.forward(5_000);
      await cluster.store.update((tx) =>
        tx.create(ingresses, {
          ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress" as const, status: {} },
          metadata: { name: "thief", namespace: "other" },
          spec: {
            rules: ["*.example.org", HOST].map((host) => ({
              host,
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix" as const,
                    backend: { service: { name: "thief", port: { number: 80 } } },
                  },
                ],
              },
            })),
          },
        }),
      );
      const { routes, lost } = settleContest(routesOf(cluster));
      assert.deepEqual(
        routes.filter(({ host }) => host === HOST).map(({ service }) => service),
        ["marathon:/guestbook/web"],
      );
      assert.deepEqual(
        lost.map(({ route }) => route.service),
        ["other/thief"],
      );
      const entries = told(cluster);
      assert.ok(entries.some(({ kind, id }) => kind === "service" && id === "marathon:/guestbook/web"));
      assert.ok(!entries.some(({ kind }) => kind === "endpoints"));
    });

  test("keeps its service port, and is as old as it is when another wants it", async () => {
    await cluster.call("POST", "/v2/apps", app("/shop/front", { instances: 0 }));
    cluster.clock.forward(5_000);
    await cluster.call("POST", "/v2/apps", app("/shop/young", { instances: 0, labels: {} }));
    const services = told(cluster).filter((entry): entry is ServiceEntry => entry.kind === "service");
    const claims = services.flatMap(({ id, ports, since = "" }) => ports.map(({ nodePort }) => [id, nodePort, since]));
    assert.deepEqual(
      claims.map(([id, port]) => [id, port]),
      [
        ["marathon:/shop/front", 10_300],
        ["marathon:/shop/young", 10_300],
      ],
    );
    assert.ok(claims.every(([, , since]) => since !== "") && String(claims[0]?.[2]) < String(claims[1]?.[2]));
  });

  const claims: readonly (readonly [given: string, app: object])[] = [
    ["scaled to 0", { instances: 0 }],
    ["of both protocols", { instances: 0, portDefinitions: [{ port: 30_080, protocol: "udp,tcp" }] }],
  ];
  for (const [given, more] of claims)
    test(`${given}: a Service that asks for its port is refused, and none is given it`, async () => {
      await cluster.call("POST", "/v2/apps", { ...app("/prod/web", { portDefinitions: [{ port: 30_080 }] }), ...more });
      const service = (port: object) =>
        ({
          ...{ apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "shop" }, status: {} },
          spec: { type: "NodePort", ports: [{ port: 80, ...port }] },
        }) as unknown as Service;
      const asked = (wish: object) =>
        cluster.store.update((tx) => allocateNodePorts(tx, service(wish), [marathon.publisher as Publisher]));
      const { errors } = await asked({ nodePort: 30_080 });
      assert.match(errors[0]?.message ?? "", /provided port is already allocated: Marathon app \/prod\/web has it/);
      assert.equal((await asked({ nodePort: 30_081 })).errors.length, 0);
      const next = (await asked({})).ports?.[0]?.nodePort ?? 0;
      await cluster.call("POST", "/v2/apps", { ...app("/prod/next"), instances: 0, portDefinitions: [{ port: next }] });
      assert.notEqual((await asked({})).ports?.[0]?.nodePort, next);
      assert.equal((await asked({ nodePort: 30_080, protocol: "UDP" })).errors.length, given === "scaled to 0" ? 0 : 1);
    });

  test("gives its host free when it is deleted", async () => {
    await cluster.call("POST", "/v2/apps", app("/guestbook/web", { instances: 0 }));
    assert.equal(routesOf(cluster).length, 1);
    await cluster.call("DELETE", "/v2/apps//guestbook/web");
    assert.equal(routesOf(cluster).length, 0);
  });
});
