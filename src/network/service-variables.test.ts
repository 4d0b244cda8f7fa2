import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceEntry } from "../model/network.ts";
import type { Pod } from "../model/pod.ts";
import { NetworkState } from "./plane/network-state.ts";
import { Touched } from "./plane/touched.ts";
import { serviceVariables } from "./service-variables.ts";

const service = (id: string, addresses: readonly string[], ports: ServiceEntry["ports"]): ServiceEntry => ({
  kind: "service",
  id,
  namespace: id.split("/")[0] ?? "",
  name: id.split("/")[1] ?? "",
  addresses,
  ports,
  externalTraffic: "cluster",
  internalTraffic: "cluster",
});
const tcp = (name: string, port: number) => ({ name, protocol: "tcp" as const, port });

const api = service("default/kubernetes", ["10.96.0.1"], [tcp("https", 443)]);
const redis = service("shop/redis-master", ["10.96.0.11"], [tcp("", 6379)]);
const dns = service(
  "shop/dns",
  ["10.96.0.10"],
  [
    { name: "dns", protocol: "udp", port: 53 },
    { name: "dns-tcp", protocol: "tcp", port: 53 },
  ],
);
const headless = service("shop/db", [], [tcp("", 5432)]);
const elsewhere = service("other/web", ["10.96.0.12"], [tcp("", 80)]);

function podIn(namespace: string, spec: Partial<Pod["spec"]> = {}, annotations: Record<string, string> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...{ name: "p", namespace, uid: "u", resourceVersion: "1", generation: 1, creationTimestamp: "" },
      annotations,
    },
    spec: { containers: [], ...spec },
    status: { phase: "Pending" },
  };
}

function told(...entries: readonly ServiceEntry[]): NetworkState {
  const state = new NetworkState("n1");
  state.hear({ type: "all", revision: 1, entries }, new Touched());
  return state;
}

describe("variables of services", () => {
  test("are those of Kubernetes, for the services of the pod's namespace and for the API", () => {
    assert.deepEqual(serviceVariables(podIn("shop"), told(redis, api, elsewhere)), {
      KUBERNETES_SERVICE_HOST: "10.96.0.1",
      KUBERNETES_SERVICE_PORT: "443",
      KUBERNETES_SERVICE_PORT_HTTPS: "443",
      KUBERNETES_PORT: "tcp://10.96.0.1:443",
      KUBERNETES_PORT_443_TCP: "tcp://10.96.0.1:443",
      KUBERNETES_PORT_443_TCP_PROTO: "tcp",
      KUBERNETES_PORT_443_TCP_PORT: "443",
      KUBERNETES_PORT_443_TCP_ADDR: "10.96.0.1",
      REDIS_MASTER_SERVICE_HOST: "10.96.0.11",
      REDIS_MASTER_SERVICE_PORT: "6379",
      REDIS_MASTER_PORT: "tcp://10.96.0.11:6379",
      REDIS_MASTER_PORT_6379_TCP: "tcp://10.96.0.11:6379",
      REDIS_MASTER_PORT_6379_TCP_PROTO: "tcp",
      REDIS_MASTER_PORT_6379_TCP_PORT: "6379",
      REDIS_MASTER_PORT_6379_TCP_ADDR: "10.96.0.11",
    });
  });

  test("of several ports: the first is the service's, each has its own by name, number and protocol", () => {
    const found = serviceVariables(podIn("shop"), told(dns));
    assert.equal(found.DNS_SERVICE_PORT, "53");
    assert.equal(found.DNS_SERVICE_PORT_DNS, "53");
    assert.equal(found.DNS_SERVICE_PORT_DNS_TCP, "53");
    assert.equal(found.DNS_PORT, "udp://10.96.0.10:53");
    assert.equal(found.DNS_PORT_53_UDP, "udp://10.96.0.10:53");
    assert.equal(found.DNS_PORT_53_TCP_PROTO, "tcp");
  });

  const none = [
    { why: "a headless service has no address to tell", pod: podIn("shop"), state: told(headless) },
    { why: "the API is not told of where there is none", pod: podIn("shop"), state: told(elsewhere) },
    {
      why: "a pod of another dialect does not run in Kubernetes",
      pod: podIn("marathon", {}, { "styrmann.dev/dialect": "marathon" }),
      state: told(api),
    },
  ];
  for (const { why, pod, state } of none)
    test(`none: ${why}`, () => assert.deepEqual(serviceVariables(pod, state), {}));

  test("without enableServiceLinks only the API is told of", () => {
    const found = serviceVariables(podIn("shop", { enableServiceLinks: false }), told(redis, api));
    assert.deepEqual(
      Object.keys(found).filter((name) => !name.startsWith("KUBERNETES_")),
      [],
    );
    assert.equal(found.KUBERNETES_SERVICE_HOST, "10.96.0.1");
  });

  test("a service called kubernetes of the own namespace stands before that of default", () => {
    const own = service("shop/kubernetes", ["10.96.0.99"], [tcp("", 80)]);
    for (const state of [told(own, api), told(api, own)])
      assert.equal(serviceVariables(podIn("shop"), state).KUBERNETES_SERVICE_HOST, "10.96.0.99");
  });
});
