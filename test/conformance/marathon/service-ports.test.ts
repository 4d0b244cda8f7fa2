import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { events } from "../../../src/model/event.ts";
import { servers } from "../../../src/model/server.ts";
import { services } from "../../../src/model/service.ts";
import { Cluster } from "./cluster.ts";

const app = (id: string, port: number, more: object = {}) => ({
  ...{ id, cmd: "sleep 1000", portDefinitions: [{ port, ...more }] },
});

describe("Marathon: service ports, which are open at every host", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.store.update((tx) =>
      tx.create(servers, {
        ...{ apiVersion: servers.apiVersion, kind: "Server", metadata: { name: "h1" } },
        spec: { url: "https://192.0.2.1:7443", version: "1" },
      }),
    );
  });
  afterEach(() => cluster.close());

  const own: readonly (readonly [port: number, protocol: string, whose: string])[] = [
    [7443, "tcp", "is the control plane's"],
    [53, "tcp", "is where the cluster answers names"],
    [53, "udp", "is where the cluster answers names"],
    [8472, "udp", "is the hosts' own \\(VXLAN\\)"],
    [51_820, "udp,tcp", "is the hosts' own \\(WireGuard\\)"],
  ];
  for (const [port, protocol, whose] of own)
    test(`${port}/${protocol} is the cluster's own, and refused`, async () => {
      const { status, body } = await cluster.call("POST", "/v2/apps", app("/evil", port, { protocol }));
      assert.equal(status, 422);
      assert.equal(body.details[0].path, "/portDefinitions(0)/port");
      assert.match(body.details[0].errors[0], new RegExp(`^${port} ${whose}: choose another$`));
    });

  test("what a container publishes is never a port at which hosts hear each other", async () => {
    const container = {
      type: "DOCKER",
      docker: { image: "a" },
      portMappings: [{ containerPort: 80, hostPort: 51_820, protocol: "udp" }],
    };
    const { status, body } = await cluster.call("POST", "/v2/apps", {
      ...{ id: "/evil", networks: [{ mode: "container/bridge" }], container },
    });
    assert.deepEqual([status, body.details[0].path], [422, "/container/portMappings(0)/hostPort"]);
    assert.match(body.details[0].errors[0], /^51820\/udp is the hosts' own \(WireGuard\)/);
  });

  test("of a container too, by its own field; the same number of the other protocol is free", async () => {
    const container = {
      type: "DOCKER",
      docker: { image: "a" },
      portMappings: [{ containerPort: 80, servicePort: 7443 }],
    };
    const mapped = { id: "/evil", networks: [{ mode: "container/bridge" }], container };
    const { status, body } = await cluster.call("POST", "/v2/apps", mapped);
    assert.deepEqual([status, body.details[0].path], [422, "/container/portMappings(0)/servicePort"]);
    assert.equal((await cluster.call("POST", "/v2/apps", app("/udp", 7443, { protocol: "udp" }))).status, 201);
  });

  test("one that another app has stays its own, and the newcomer is told, in the answer and by an event", async () => {
    await cluster.call("POST", "/v2/apps", app("/web", 10_180));
    const { status, headers } = await cluster.call("POST", "/v2/apps", app("/dup", 10_180));
    assert.equal(status, 201);
    const words =
      "service port 10180 is app /web's, which was there before: /dup is reached there once that one is gone";
    assert.equal(headers.get("Warning"), `299 - "${words}"`);
    const said = cluster.store.list(events).filter(({ reason }) => reason === "ServicePortTaken");
    assert.deepEqual(
      said.map(({ message, type }) => [message, type]),
      [[words, "Warning"]],
    );
  });

  test("an older app cannot come to the port of a newer one, which would lose it", async () => {
    await cluster.call("POST", "/v2/apps", app("/old", 10_001));
    await cluster.converge();
    cluster.clock.forward(5_000);
    await cluster.call("POST", "/v2/apps", app("/web", 10_180));
    await cluster.converge();
    const { status, body } = await cluster.call("PUT", "/v2/apps/old", { portDefinitions: [{ port: 10_180 }] });
    assert.equal(status, 422);
    assert.match(body.details[0].errors[0], /^10180 is app \/web's, which would lose it/);
    assert.equal((await cluster.call("PUT", "/v2/apps/old", { instances: 2 })).status, 200, "what it has it keeps");
  });

  test("a Service's node port is said just so", async () => {
    await cluster.store.update((tx) =>
      tx.create(services, {
        ...{ apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "shop" }, status: {} },
        spec: { type: "NodePort", clusterIP: "10.96.0.9", ports: [{ port: 80, nodePort: 30_080, protocol: "TCP" }] },
      }),
    );
    cluster.clock.forward(1_000);
    const { headers } = await cluster.call("POST", "/v2/apps", app("/dup", 30_080));
    assert.match(headers.get("Warning") ?? "", /service port 30080 is Service shop\/web's, which was there before/);
  });
});
