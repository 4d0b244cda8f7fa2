import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkPolicy } from "./network-policy.ts";
import { sizeOfPolicy } from "./network-policy-size.ts";

const sizeOf = (spec: Partial<NetworkPolicy["spec"]>) =>
  sizeOfPolicy({ spec: { podSelector: {}, ...spec } } as NetworkPolicy);

const app = { matchLabels: { app: "web" } };

describe("what a NetworkPolicy asks for", () => {
  test("is ten for itself, and one for each rule, peer, exception, label and port", () => {
    assert.equal(sizeOf({}), 10);
    assert.equal(sizeOf({ podSelector: app, ingress: [{}] }), 12);
    const block = { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "10.2.0.0/16"] } };
    assert.equal(sizeOf({ egress: [{ to: [block, { podSelector: app }], ports: [{ port: 80 }, { port: 81 }] }] }), 18);
  });

  test("is ten for a peer of several namespaces, which every pod of the cluster may be, and one for a namespace by name", () => {
    assert.equal(sizeOf({ ingress: [{ from: [{ namespaceSelector: {} }] }] }), 21);
    const bank = { matchLabels: { "kubernetes.io/metadata.name": "bank" } };
    assert.equal(sizeOf({ ingress: [{ from: [{ namespaceSelector: bank }] }] }), 13);
  });

  test("is that of each peer once more for each port by name: nodes look it up for each of them", () => {
    const from = [{ podSelector: app }, { podSelector: {} }];
    assert.equal(sizeOf({ ingress: [{ from, ports: [{ port: "http" }, { port: "admin" }] }] }), 13 + 3 * 3);
  });

  test("is no less for many values in one line, or for one of many characters", () => {
    const values = Array.from({ length: 500 }, (_, at) => `v${at}`);
    assert.equal(sizeOf({ podSelector: { matchExpressions: [{ key: "a", operator: "NotIn", values }] } }), 510);
    const long = { matchExpressions: [{ key: "a", operator: "NotIn", values: ["x".repeat(630)] }] } as const;
    assert.equal(sizeOf({ podSelector: long }), 20);
  });
});
