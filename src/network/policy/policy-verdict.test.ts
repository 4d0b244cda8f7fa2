import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry, PolicyRule } from "../../model/network.ts";
import { type LocalPod, NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { type Packet, verdictOf } from "./policy-verdict.ts";

const POD: LocalPod = {
  ...{ uid: "u", namespace: "shop", name: "web", address: "10.42.0.5" },
  ...{ labels: { app: "web" }, ports: { http: 8080 } },
};

function asked(rules: { readonly ingress?: readonly PolicyRule[]; readonly egress?: readonly PolicyRule[] }) {
  const state = new NetworkState("n1");
  const entries: readonly NetworkEntry[] = [
    { kind: "node", id: "n1", address: "192.0.2.1", podRange: "10.42.0.0/24" },
    { kind: "policy", id: "shop/p", namespace: "shop", podSelector: { matchLabels: { app: "web" } }, ...rules },
    { kind: "peers", id: "g on n2", group: "g", addresses: ["10.42.1.7"], named: { db: { "10.42.1.7": 5432 } } },
  ];
  state.hear({ type: "all", revision: 1, entries }, new Touched());
  return (direction: "in" | "out", packet: Partial<Packet>) => {
    const ends = direction === "in" ? { from: "10.42.1.7", to: POD.address } : { from: POD.address, to: "10.42.1.7" };
    const { selecting, allowedBy } = verdictOf(state, POD, direction, {
      ...ends,
      protocol: "tcp",
      port: 80,
      ...packet,
    });
    return selecting.length === 0 ? "open" : (allowedBy?.peers ?? "closed");
  };
}

describe("what policies say of a connection", () => {
  test("in the direction that no policy speaks of, everything passes", () => {
    const verdict = asked({ ingress: [] });
    assert.equal(verdict("in", {}), "closed");
    assert.equal(verdict("out", {}), "open");
  });

  test("peers: everybody, a group, a range without its exceptions, the pod itself", () => {
    assert.equal(asked({ ingress: [{}] })("in", {}), "everybody");
    assert.equal(asked({ ingress: [{ from: [{ peers: "g" }] }] })("in", {}), "g");
    assert.equal(asked({ ingress: [{ from: [{ peers: "g" }] }] })("in", { from: "10.42.1.8" }), "closed");
    const range = asked({ ingress: [{ from: [{ cidr: "10.42.0.0/16", except: ["10.42.1.0/28"] }] }] });
    assert.equal(range("in", {}), "closed");
    assert.equal(range("in", { from: "10.42.1.17" }), "10.42.0.0/16");
    assert.equal(asked({ ingress: [] })("in", { from: POD.address }), "the pod itself");
  });

  test("ports: by number, range, name and protocol; an unnamed port matches rules without ports only", () => {
    const ports = (...all: NonNullable<PolicyRule["ports"]>) => asked({ ingress: [{ ports: all }] });
    assert.equal(ports({ protocol: "tcp", port: 80 })("in", {}), "everybody");
    assert.equal(ports({ protocol: "tcp", port: 79, endPort: 81 })("in", {}), "everybody");
    assert.equal(ports({ protocol: "udp", port: 80 })("in", {}), "closed");
    assert.equal(ports({ protocol: "tcp" })("in", {}), "everybody");
    assert.equal(ports({ protocol: "tcp", port: "http" })("in", { port: 8080 }), "everybody");
    assert.equal(ports({ protocol: "tcp", port: "http" })("in", {}), "closed");
    const { port: _port, ...unnamed } = { port: 80 };
    assert.equal(ports({ protocol: "tcp", port: 81 })("in", unnamed), "closed");
    const out = asked({ egress: [{ from: [{ peers: "g" }], ports: [{ protocol: "tcp", port: "db" }] }] });
    assert.equal(out("out", { port: 5432 }), "g");
    assert.equal(out("out", { port: 80 }), "closed");
  });

  test("questions for names to the own host pass, to others they do not", () => {
    const verdict = asked({ egress: [] });
    assert.match(verdict("out", { to: "10.42.0.1", port: 53, protocol: "udp" }), /^questions for names/);
    assert.equal(verdict("out", { to: "10.42.0.1", port: 80 }), "closed");
    assert.equal(verdict("out", { to: "10.42.1.1", port: 53 }), "closed");
  });
});
