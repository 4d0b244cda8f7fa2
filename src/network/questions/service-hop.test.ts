import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry, ServiceEntry } from "../../model/network.ts";
import type { TraceEnd } from "../../model/network-questions.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { HostView } from "./host-view.ts";
import { serviceHop } from "./service-hop.ts";

const service = (id: string, more: Partial<ServiceEntry>): ServiceEntry => ({
  ...{ kind: "service", id, addresses: [], ports: [{ name: "", protocol: "tcp", port: 80 }] },
  ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
  ...more,
});
const leading = (id: string, address: string): NetworkEntry => ({
  ...{ kind: "endpoints", id: `${id}-1`, service: id, ports: [{ name: "", protocol: "tcp", port: 8080 }] },
  endpoints: [{ address, state: "ready", node: "b" }],
});
const wanting = (id: string, since: string) =>
  service(id, { since, ports: [{ name: "", protocol: "tcp", port: 80, nodePort: 30_080 }] });

/** `nft`: what it prints, by its arguments; undefined: there is no such thing. */
function hopTo(
  address: string,
  port: number,
  entries: readonly NetworkEntry[],
  nft: (args: string) => string | undefined = () => undefined,
  from: TraceEnd = { node: "a", address: "10.42.0.5", pod: "shop/front" },
) {
  const state = new NetworkState("a");
  const self = { kind: "node", id: "a", address: "192.0.2.1", podRange: "10.42.0.0/24" } as const;
  state.hear({ type: "all", revision: 1, entries: [self, ...entries] }, new Touched());
  const view = new HostView({
    commands: {
      run: (_program, args) => {
        const stdout = nft(args.join(" "));
        const failed = { exitCode: 1, stdout: "", stderr: "Error: No such file or directory" };
        return Promise.resolve(stdout === undefined ? failed : { exitCode: 0, stdout, stderr: "" });
      },
    },
    table: "t",
    connect: () => Promise.reject(new Error("not asked for")),
    lookUp: () => Promise.reject(new Error("not asked for")),
  });
  return serviceHop(state, view, address, { port, protocol: "tcp" }, from);
}

describe("where a service's address leads", () => {
  test("of several that want one node port, to the oldest, as the rules have it", async () => {
    const both = [
      ...[wanting("marathon:/dup", "2026-02-02T00:00:00Z"), leading("marathon:/dup", "10.42.1.5")],
      ...[wanting("marathon:/guestbook/web", "2026-01-01T00:00:00Z"), leading("marathon:/guestbook/web", "10.42.1.6")],
    ];
    const served = await hopTo("192.0.2.1", 30_080, both);
    assert.match(served?.hop?.words ?? "", /^Service marathon:\/guestbook\/web sends it to 10\.42\.1\.6:8080/);
  });

  test("nowhere, when the node keeps that port for itself", async () => {
    const entries = [wanting("shop/web", "2026-01-01T00:00:00Z"), leading("shop/web", "10.42.1.5")];
    const nft = (args: string) => (args.startsWith("-t list") ? "table ip t {\n\tmap svc-node-ports {" : undefined);
    const served = await hopTo("192.0.2.1", 30_080, entries, nft);
    assert.equal(served?.hop?.isOk, false);
    assert.match(served?.hop?.words ?? "", /this node keeps that port for itself/);
  });

  test("where the kernel has other endpoints, or does not have the service, that is said", async () => {
    const entries = [service("shop/web", { addresses: ["10.43.0.9"] }), leading("shop/web", "10.42.1.5")];
    const chain = (address: string) => (args: string) =>
      args.startsWith("get element") ? "elements = { goto svc-abc }" : `dnat to ${address} . 8080`;
    assert.equal((await hopTo("10.43.0.9", 80, entries, chain("10.42.1.5")))?.hop?.isOk, true);
    const other = await hopTo("10.43.0.9", 80, entries, chain("10.42.1.99"));
    assert.match(other?.hop?.words ?? "", /but the kernel of this node does not have 10\.42\.1\.5$/);
    assert.equal(other?.hop?.isOk, false);
    const absent = (args: string) => (args.startsWith("-t list") ? "map svc-addresses {" : undefined);
    assert.match((await hopTo("10.43.0.9", 80, entries, absent))?.hop?.words ?? "", /does not have this service$/);
  });

  test("a port of another node is that node's to say: what is local here is not local there", async () => {
    const other: NetworkEntry = { kind: "node", id: "b", address: "192.0.2.2", podRange: "10.42.1.0/24" };
    const served = await hopTo("192.0.2.2", 30_080, [other, wanting("shop/web", ""), leading("shop/web", "10.42.1.5")]);
    const ways = [{ address: "192.0.2.2", port: 30_080, node: "b", isNodePort: true, source: "192.0.2.1" }];
    assert.deepEqual(served, { ways });
  });

  describe("who the endpoint sees:", () => {
    const local = { ...wanting("shop/web", ""), externalTraffic: "local" } as const;
    const [pod, host, outside]: readonly TraceEnd[] = [
      { node: "a", address: "10.42.0.5", pod: "shop/front" },
      { node: "a", address: "192.0.2.1" },
      { node: "c", address: "192.0.2.3" },
    ];
    const rows: readonly [string, TraceEnd | undefined, NetworkEntry, string, string | undefined][] = [
      ["a pod, an endpoint of another node", pod, wanting("shop/web", ""), "10.42.1.5", undefined],
      ["a pod, itself", pod, wanting("shop/web", ""), "10.42.0.5", "10.42.0.1"],
      ["a pod, where only this node's serve what is outside", pod, local, "10.42.1.5", undefined],
      ["this host, one of another node", host, wanting("shop/web", ""), "10.42.1.5", "10.42.0.1"],
      ["somebody outside, one of another node", outside, wanting("shop/web", ""), "10.42.1.5", "10.42.0.1"],
      ["somebody outside, one of this node", outside, wanting("shop/web", ""), "10.42.0.7", undefined],
    ];
    for (const [name, from, entry, endpoint, source] of rows)
      test(name, async () => {
        const served = await hopTo("192.0.2.1", 30_080, [entry, leading("shop/web", endpoint)], undefined, from);
        assert.deepEqual(
          served?.ways.map((way) => [way.address, way.source]),
          [[endpoint, source]],
        );
      });

    test("somebody outside, where only this node's serve them", async () => {
      const served = await hopTo("192.0.2.1", 30_080, [local, leading("shop/web", "10.42.1.5")], undefined, outside);
      assert.equal(served?.hop?.isOk, false);
    });
  });

  describe("of the service range,", () => {
    const cluster: NetworkEntry = {
      ...{ kind: "cluster", id: "cluster", podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" },
      ...{ domain: "cluster.local", mode: "auto" },
    };
    const link = (args: string) =>
      args.endsWith("-batch -") ? `[{"dst":"10.105.0.0/16","dev":"br-o2"}]\n[]\n` : undefined;

    test("what no Service has is refused by this node, which is said before anybody is asked whether something listens", async () => {
      const served = await hopTo("10.105.0.2", 80, [cluster], (args) =>
        args.endsWith("-batch -") ? "[]\n[]\n" : undefined,
      );
      assert.equal(served?.hop?.isOk, false);
      assert.match(served?.hop?.words ?? "", /no Service has it: this node's rules refuse it at once$/);
      assert.deepEqual([served?.ways, served?.isOthers], [[], undefined]);
    });

    test("what this host has a network of its own for is that network's, and so it goes on there", async () => {
      const served = await hopTo("10.105.0.2", 80, [cluster], link);
      assert.deepEqual([served?.hop?.isOk, served?.isOthers], [true, true]);
      assert.match(served?.hop?.words ?? "", /this host has 10\.105\.0\.0\/16 on br-o2: that goes first$/);
    });

    test("a Service with an address of such a network is not reached there, and a Service elsewhere is", async () => {
      const away = [
        service("shop/web", { namespace: "shop", addresses: ["10.105.0.2"] }),
        leading("shop/web", "10.42.1.5"),
      ];
      const hidden = await hopTo("10.105.0.2", 80, [cluster, ...away], link);
      assert.deepEqual([hidden?.hop?.isOk, hidden?.ways, hidden?.hop?.namespace], [false, [], "shop"]);
      assert.match(
        hidden?.hop?.words ?? "",
        /^Service shop\/web has 10\.105\.0\.2, but this host has 10\.105\.0\.0\/16/,
      );
      const other = [service("shop/web", { addresses: ["10.96.0.2"] }), leading("shop/web", "10.42.1.5")];
      assert.equal((await hopTo("10.96.0.2", 80, [cluster, ...other], link))?.ways[0]?.address, "10.42.1.5");
    });
  });
});
