import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod, PodSpec } from "../../model/pod.ts";
import { podDns } from "./pod-dns.ts";
import { parseResolvConf } from "./resolv-conf.ts";

const HOST = parseResolvConf("nameserver 192.0.2.53\nsearch corp.example\n");
const CONTEXT = { server: "10.42.0.1", domain: "cluster.local", host: HOST };

function pod(spec: Partial<PodSpec> = {}, dialect?: string): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...{ name: "p", namespace: "shop", uid: "u1", resourceVersion: "1", generation: 1, creationTimestamp: "" },
      ...(dialect === undefined ? {} : { annotations: { "styrmann.dev/dialect": dialect } }),
    },
    spec: { containers: [], ...spec },
    status: { phase: "Pending" },
  };
}

const CLUSTER_FIRST = {
  nameservers: ["10.42.0.1"],
  searches: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"],
  options: ["ndots:5"],
};

describe("where a pod asks for names", () => {
  test("ClusterFirst, which is the default: this node's server, and the search list of Kubernetes", () => {
    assert.deepEqual(podDns(pod(), CONTEXT), CLUSTER_FIRST);
    assert.deepEqual(podDns(pod({ dnsPolicy: "ClusterFirst" }), CONTEXT), CLUSTER_FIRST);
  });

  test("on the host's network it is the host's, unless ClusterFirstWithHostNet says otherwise", () => {
    assert.equal(podDns(pod({ hostNetwork: true }), CONTEXT), undefined);
    assert.deepEqual(podDns(pod({ hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }), CONTEXT), CLUSTER_FIRST);
  });

  test("Default is the host's, with what dnsConfig adds", () => {
    assert.equal(podDns(pod({ dnsPolicy: "Default" }), CONTEXT), undefined);
    const dnsConfig = { options: [{ name: "timeout", value: "1" }] };
    const wanted = { nameservers: [], searches: [], options: ["timeout:1"] };
    assert.deepEqual(podDns(pod({ dnsPolicy: "Default", dnsConfig }), CONTEXT), wanted);
  });

  test("with a subdomain a pod has a whole name, whatever else it says of names; not on the host's network", () => {
    const domain = "db.shop.svc.cluster.local";
    assert.deepEqual(podDns(pod({ hostname: "a", subdomain: "db" }), CONTEXT), { ...CLUSTER_FIRST, domain });
    const nothing = { nameservers: [], searches: [], options: [] };
    assert.deepEqual(podDns(pod({ subdomain: "db", dnsPolicy: "Default" }), CONTEXT), { ...nothing, domain });
    assert.equal(podDns(pod({ subdomain: "db", hostNetwork: true }), CONTEXT), undefined);
  });

  test("None is dnsConfig alone", () => {
    const dnsConfig = { nameservers: ["1.1.1.1"], searches: ["a.example."] };
    const wanted = { nameservers: ["1.1.1.1"], searches: ["a.example"], options: [] };
    assert.deepEqual(podDns(pod({ dnsPolicy: "None", dnsConfig }), CONTEXT), wanted);
  });

  test("dnsConfig comes behind the policy's; its options win; what is twice is there once", () => {
    const dnsConfig = {
      nameservers: ["10.42.0.1", "1.1.1.1"],
      searches: ["corp.example", "b.example"],
      options: [{ name: "ndots", value: "1" }, { name: "rotate" }],
    };
    assert.deepEqual(podDns(pod({ dnsConfig }), CONTEXT), {
      nameservers: ["10.42.0.1", "1.1.1.1"],
      searches: [...CLUSTER_FIRST.searches, "b.example"],
      options: ["ndots:1", "rotate"],
    });
  });

  test("no more servers and searches than resolvers take", () => {
    const dnsConfig = {
      nameservers: ["1.1.1.1", "1.1.1.2", "1.1.1.3"],
      searches: Array.from({ length: 40 }, (_, n) => `s${n}.example`),
    };
    const dns = podDns(pod({ dnsConfig }), CONTEXT);
    assert.deepEqual([dns?.nameservers.length, dns?.searches.length], [3, 32]);
  });

  test("a Marathon app looks for short names among apps first, then units, then Services of `default`", () => {
    const dns = podDns(pod({}, "marathon"), CONTEXT);
    assert.deepEqual(dns?.searches.slice(0, 3), ["marathon.mesos", "fleet.local", "default.svc.cluster.local"]);
    assert.deepEqual(dns?.options, ["ndots:2"], "web.marathon.mesos is asked for once, as it is");
  });
});
