import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Protocol, ServiceEntry } from "../../model/network.ts";
import { parseListener } from "./host-ports.ts";
import { PortClaims } from "./port-claims.ts";

function service(id: string, since: string | undefined, ...nodePorts: readonly number[]): ServiceEntry {
  return {
    ...{ kind: "service", id, addresses: [], externalTraffic: "cluster", internalTraffic: "cluster" },
    ports: nodePorts.map((nodePort) => ({ name: `${nodePort}`, protocol: "tcp" as Protocol, port: 80, nodePort })),
    ...(since === undefined ? {} : { since }),
  };
}

const has = (claims: PortClaims, entry: ServiceEntry) =>
  claims.allowed(entry).ports.flatMap(({ nodePort }) => nodePort ?? []);

describe("who has a port of the nodes:", () => {
  const old = service("marathon:/web", "2026-01-01T00:00:00Z", 10_180);
  const young = service("marathon:/dup", "2026-01-02T00:00:00Z", 10_180, 10_181);

  test("the older one, whatever their names and whoever was heard of first, and that is said", () => {
    for (const order of [
      [old, young],
      [young, old],
    ]) {
      const claims = new PortClaims();
      for (const each of order) claims.put(each.id, each);
      assert.deepEqual([has(claims, old), has(claims, young)], [[10_180], [10_181]]);
      assert.deepEqual(claims.disputes(), [
        { service: young.id, key: "tcp/10180", words: "marathon:/web has it, which is older" },
      ]);
    }
  });

  test("when the older one goes, the other one is concerned, and has it", () => {
    const claims = new PortClaims();
    claims.put(old.id, old);
    claims.put(young.id, young);
    assert.deepEqual([...claims.put(old.id, undefined)].sort(), [young.id, old.id].sort());
    assert.deepEqual(has(claims, young), [10_180, 10_181]);
    assert.deepEqual(claims.disputes(), []);
  });

  test("one whose age nobody knows is the youngest; of two of one age it goes by name", () => {
    const claims = new PortClaims();
    const [a, b, c] = [
      service("a", undefined, 1),
      service("b", "2026-01-01T00:00:00Z", 1),
      service("c", "2026-01-01T00:00:00Z", 1),
    ];
    for (const each of [a, c, b]) claims.put(each.id, each);
    assert.deepEqual(
      [a, b, c].map((each) => has(claims, each)),
      [[], [1], []],
    );
  });

  test("what the host keeps nobody has, and who wants it is concerned when that changes", () => {
    const claims = new PortClaims();
    claims.put(old.id, old);
    assert.deepEqual([...claims.keep(new Map([["tcp/10180", "sshd of this host listens there"]]))], [old.id]);
    assert.deepEqual(has(claims, old), []);
    assert.match(claims.disputes()[0]?.words ?? "", /sshd/);
    assert.deepEqual([...claims.keep(new Map([["tcp/10180", "sshd of this host listens there"]]))], []);
    assert.deepEqual([...claims.keep(new Map())], [old.id]);
    assert.deepEqual(has(claims, old), [10_180]);
  });

  test("whatever came and went in whatever order, each port has one owner, and the same as from nothing", () => {
    const ids = ["a", "b", "c"];
    const step = fc.record({
      id: fc.constantFrom(...ids),
      since: fc.constantFrom(undefined, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
      ports: fc.uniqueArray(fc.constantFrom(1, 2, 3)),
      isGone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [claims, fresh, told] = [new PortClaims(), new PortClaims(), new Map<string, ServiceEntry>()];
        const planned = new Map<string, readonly number[]>();
        for (const { id, since, ports, isGone } of steps) {
          if (isGone) told.delete(id);
          else told.set(id, service(id, since, ...ports));
          for (const each of new Set([id, ...claims.put(id, told.get(id))])) {
            const entry = told.get(each);
            if (entry === undefined) planned.delete(each);
            else planned.set(each, has(claims, entry));
          }
        }
        for (const [id, entry] of told) fresh.put(id, entry);
        assert.deepEqual(
          new Map([...planned].sort()),
          new Map([...told].sort().map(([id, entry]) => [id, has(fresh, entry)])),
        );
        const all = [...planned.values()].flat();
        assert.equal(new Set(all).size, all.length);
      }),
    );
  });
});

test("a line of ss is a port, its address and who listens; sockets of UDP that only ask are none", () => {
  assert.deepEqual(
    parseListener('tcp   LISTEN 0      128          0.0.0.0:22       0.0.0.0:*    users:(("sshd",pid=7,fd=3))'),
    {
      ...{ key: "tcp/22", address: "0.0.0.0", program: "sshd", pid: "7" },
    },
  );
  assert.deepEqual(parseListener("udp UNCONN 0 0 10.0.0.1%eth0:68 0.0.0.0:*"), { key: "udp/68", address: "10.0.0.1" });
  assert.deepEqual(parseListener("tcp LISTEN 0 511 [::1]:631 [::]:*"), { key: "tcp/631", address: "[::1]" });
  assert.equal(parseListener("udp UNCONN 0 0 0.0.0.0:45000 0.0.0.0:*"), undefined);
  assert.equal(parseListener(""), undefined);
});
