import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatAddress } from "../../../lib/subnet.ts";
import type { EndpointEntry, ServiceEntry } from "../../../model/network.ts";
import { RCODE, TYPE } from "../wire/constants.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { lookup } from "./lookup.ts";
import { RecordTable } from "./record-table.ts";
import { type NamedEntry, Zones } from "./zones.ts";

const SETTINGS = { ttlSeconds: 5, negativeSeconds: 5 };

function service(id: string, more: Partial<ServiceEntry> = {}): ServiceEntry {
  const [namespace = "", name = ""] = id.split("/");
  const base = { kind: "service", id, namespace, name, addresses: [], ports: [] } as const;
  return { ...base, externalTraffic: "cluster", internalTraffic: "cluster", ...more };
}

function slice(of: string, endpoints: readonly EndpointEntry[], port = 5432): NamedEntry {
  const ports = [{ name: "sql", protocol: "tcp" as const, port }];
  return { kind: "endpoints", id: `${of}-1`, service: of, ports, endpoints };
}

const HTTP = { name: "http", protocol: "tcp", port: 80 } as const;
const SQL = { name: "sql", protocol: "tcp", port: 5432 } as const;

const ENTRIES: readonly NamedEntry[] = [
  {
    kind: "cluster",
    id: "cluster",
    podRange: "10.42.0.0/16",
    serviceRange: "10.96.0.0/12",
    domain: "cluster.local",
    mode: "auto",
  },
  { kind: "node", id: "n1", address: "10.0.0.1", podRange: "10.42.0.0/24" },
  { kind: "node", id: "n2", address: "10.0.0.2", podRange: "10.42.1.0/24" },
  service("default/web", { addresses: ["10.96.0.10"], ports: [HTTP] }),
  slice("default/web", [{ address: "10.42.0.9", state: "ready" }], 8080),
  service("default/db", { ports: [SQL] }),
  slice("default/db", [
    { address: "10.42.0.5", state: "ready", hostname: "db-0" },
    { address: "10.42.1.6", state: "ready" },
    { address: "10.42.0.7", state: "waiting", hostname: "db-2" },
    { address: "10.42.0.8", state: "draining", hostname: "db-3" },
  ]),
  service("default/peers", { publishNotReady: true }),
  slice("default/peers", [{ address: "10.42.0.30", state: "waiting", hostname: "p-0" }]),
  service("default/mail", { externalName: "mail.example.org." }),
  service("default/alias", { externalName: "web.default.svc.cluster.local" }),
  service("default/ring-a", { externalName: "ring-b.default.svc.cluster.local" }),
  service("default/ring-b", { externalName: "ring-a.default.svc.cluster.local" }),
  service("default/dangling", { externalName: "gone.default.svc.cluster.local" }),
  service("prod/empty", { ports: [SQL] }),
  {
    kind: "names",
    id: "pod-1",
    records: [
      { type: "A", name: "web.prod.marathon.mesos", address: "10.42.0.20" },
      { type: "A", name: "web-prod.marathon.mesos", address: "10.42.0.20" },
      { type: "SRV", name: "_web-prod._tcp.marathon.mesos", target: "web-prod.marathon.mesos", port: 8080 },
    ],
  },
  { kind: "names", id: "pod-2", records: [{ type: "A", name: "web-prod.marathon.mesos", address: "10.42.1.20" }] },
  { kind: "names", id: "unit", records: [{ type: "A", name: "redis.fleet.local", address: "10.0.0.1" }] },
];

function zonesWith(entries: readonly NamedEntry[] = ENTRIES): Zones {
  const zones = new Zones("10.42.0.1");
  for (const entry of entries) zones.put(entry);
  return zones;
}

/** `ok a.b A 10.0.0.1; …`, in the order of names. */
function said(zones: Zones, name: string, type: number): string {
  const found = lookup(zones, name, type, 0, SETTINGS);
  if (found.kind === "elsewhere") return "elsewhere";
  const word = found.rcode === RCODE.ok ? "ok" : found.rcode === RCODE.noSuchName ? "nxdomain" : `error ${found.rcode}`;
  const answers = found.answers.map(textOf).sort();
  const negative = found.authority.map(({ name: zone }) => `soa ${zone}`);
  return [word, ...answers, ...negative, ...(found.goesOnAt ? [`then ${found.goesOnAt}`] : [])].join("; ");
}

function textOf({ data }: ResourceRecord): string {
  switch (data.type) {
    case "A":
      return formatAddress(data.address);
    case "SRV":
      return `${data.target}:${data.port}`;
    case "TXT":
      return data.text;
    case "SOA":
      return `SOA ${data.server}`;
    case "raw":
      return "raw";
    default:
      return `${data.type} ${data.target}`;
  }
}

const svc = (name: string) => `${name}.svc.cluster.local`;
const NO_DATA = "ok; soa cluster.local";
const NO_NAME = "nxdomain; soa cluster.local";

interface Row {
  readonly asked: string;
  readonly type?: keyof typeof TYPE;
  readonly says: string;
  readonly why: string;
}

const ROWS: readonly Row[] = [
  { asked: svc("web.default"), says: "ok; 10.96.0.10", why: "a Service is its cluster address" },
  { asked: svc("web.default"), type: "AAAA", says: NO_DATA, why: "there is the name, and no such address" },
  { asked: svc("gone.default"), says: NO_NAME, why: "what is not there is denied at once, with how long that holds" },
  { asked: "www.example.org.default.svc.cluster.local", says: NO_NAME, why: "what search lists make is not passed on" },
  {
    asked: svc("_http._tcp.web.default"),
    type: "SRV",
    says: `ok; ${svc("web.default")}:80`,
    why: "a port by its name",
  },
  { asked: svc("web.default"), type: "SRV", says: `ok; ${svc("web.default")}:80`, why: "all ports" },
  { asked: svc("_https._tcp.web.default"), type: "SRV", says: NO_NAME, why: "no such port" },
  { asked: svc("_tcp.web.default"), says: NO_DATA, why: "something is below it" },
  { asked: svc("default"), says: NO_DATA, why: "a namespace with Services exists" },
  { asked: svc("nowhere"), says: NO_NAME, why: "one without does not" },
  { asked: "svc.cluster.local", says: NO_DATA, why: "exists always" },
  { asked: svc("db.default"), says: "ok; 10.42.0.5; 10.42.1.6", why: "a headless Service is its ready pods" },
  { asked: svc("db-0.db.default"), says: "ok; 10.42.0.5", why: "a pod by its host name" },
  { asked: svc("10-42-1-6.db.default"), says: "ok; 10.42.1.6", why: "a pod without one, by its address" },
  { asked: svc("db-2.db.default"), says: NO_NAME, why: "a pod that is not ready has no name" },
  { asked: svc("db-3.db.default"), says: NO_NAME, why: "a pod on its way out has none any more" },
  {
    asked: svc("_sql._tcp.db.default"),
    type: "SRV",
    says: `ok; ${svc("10-42-1-6.db.default")}:5432; ${svc("db-0.db.default")}:5432`,
    why: "each of its pods, by the pod's own name",
  },
  {
    asked: svc("p-0.peers.default"),
    says: "ok; 10.42.0.30",
    why: "publishNotReadyAddresses: members find each other first",
  },
  { asked: svc("empty.prod"), says: NO_NAME, why: "a headless Service without ready pods leads nowhere" },
  { asked: svc("mail.default"), says: "ok; CNAME mail.example.org; then mail.example.org", why: "ExternalName" },
  {
    asked: svc("alias.default"),
    says: `ok; 10.96.0.10; CNAME ${svc("web.default")}`,
    why: "an alias within the cluster",
  },
  {
    asked: svc("alias.default"),
    type: "CNAME",
    says: `ok; CNAME ${svc("web.default")}`,
    why: "asked for, it is the answer",
  },
  { asked: svc("ring-a.default"), says: "error 2", why: "a ring of aliases ends" },
  {
    asked: svc("dangling.default"),
    says: `nxdomain; CNAME ${svc("gone.default")}; soa cluster.local`,
    why: "an alias for nothing",
  },
  { asked: "10-42-0-77.default.pod.cluster.local", says: "ok; 10.42.0.77", why: "a pod's address, as a name" },
  { asked: "8-8-8-8.default.pod.cluster.local", says: NO_NAME, why: "not for addresses that no pod has" },
  { asked: "web.prod.marathon.mesos", says: "ok; 10.42.0.20", why: "a Marathon app by its path backwards" },
  { asked: "web-prod.marathon.mesos", says: "ok; 10.42.0.20; 10.42.1.20", why: "all instances together" },
  {
    asked: "_web-prod._tcp.marathon.mesos",
    type: "SRV",
    says: "ok; web-prod.marathon.mesos:8080",
    why: "with its port",
  },
  { asked: "slave.mesos", says: "ok; 10.0.0.1; 10.0.0.2", why: "Mesos-DNS names all agents so" },
  { asked: "gone.marathon.mesos", says: "nxdomain; soa mesos", why: "denied by its own zone" },
  { asked: "redis.fleet.local", says: "ok; 10.0.0.1", why: "a unit is at its host" },
  { asked: "gone.fleet.local", says: "nxdomain; soa fleet.local", why: "denied by its own zone" },
  { asked: "10.0.96.10.in-addr.arpa", type: "PTR", says: `ok; PTR ${svc("web.default")}`, why: "a Service's address" },
  { asked: "5.0.42.10.in-addr.arpa", type: "PTR", says: `ok; PTR ${svc("db-0.db.default")}`, why: "a pod's address" },
  { asked: "99.0.42.10.in-addr.arpa", type: "PTR", says: "nxdomain; soa 0.42.10.in-addr.arpa", why: "nobody has it" },
  { asked: "1.0.0.10.in-addr.arpa", type: "PTR", says: "elsewhere", why: "hosts have names elsewhere" },
  { asked: "dns-version.cluster.local", type: "TXT", says: "ok; 1.1.0", why: "which specification this is" },
  { asked: "cluster.local", type: "SOA", says: "ok; SOA ns.dns.cluster.local", why: "the zone itself" },
  { asked: "cluster.local", type: "NS", says: "ok; NS ns.dns.cluster.local", why: "who answers for it" },
  { asked: "ns.dns.cluster.local", says: "ok; 10.42.0.1", why: "which has an address" },
  { asked: "www.example.org", says: "elsewhere", why: "not ours" },
  { asked: "local", says: "elsewhere", why: "above our zones others know" },
  { asked: "arpa", says: "elsewhere", why: "above our zones others know" },
  { asked: "printer.local", says: "elsewhere", why: "a zone that only looks like ours" },
];

describe("names of the cluster", () => {
  for (const { asked, type = "A", says, why } of ROWS)
    test(`${asked} ${type}: ${why}`, () => assert.equal(said(zonesWith(), asked, TYPE[type]), says));

  test("what is gone is denied from then on", () => {
    const zones = zonesWith();
    zones.remove("service", "default/db");
    assert.equal(said(zones, svc("db-0.db.default"), TYPE.A), NO_NAME);
    zones.remove("names", "pod-1");
    assert.equal(said(zones, "web-prod.marathon.mesos", TYPE.A), "ok; 10.42.1.20");
    zones.remove("names", "pod-2");
    assert.equal(said(zones, "web-prod.marathon.mesos", TYPE.A), "nxdomain; soa mesos");
  });

  test("pods on a lost node are not named, as long as others are", () => {
    const zones = zonesWith();
    zones.setLost(["n2"]);
    assert.equal(said(zones, svc("db.default"), TYPE.A), "ok; 10.42.0.5");
    assert.equal(said(zones, svc("_sql._tcp.db.default"), TYPE.SRV), `ok; ${svc("db-0.db.default")}:5432`);
    zones.setLost(["n1", "n2"]);
    assert.equal(said(zones, svc("db.default"), TYPE.A), "ok; 10.42.0.5; 10.42.1.6");
    zones.setLost([]);
    assert.equal(said(zones, svc("db.default"), TYPE.A), "ok; 10.42.0.5; 10.42.1.6");
  });

  test("units of a lost host, which have its address, are not named, as long as others are", () => {
    const zones = zonesWith();
    for (const [id, address] of [
      ["u1", "10.0.0.1"],
      ["u2", "10.0.0.2"],
    ] as const)
      zones.put({ kind: "names", id, records: [{ type: "A", name: "cache.fleet.local", address }] });
    zones.setLost(["n1"]);
    assert.equal(said(zones, "cache.fleet.local", TYPE.A), "ok; 10.0.0.2");
    assert.equal(said(zones, "redis.fleet.local", TYPE.A), "ok; 10.0.0.1");
  });

  test("each of several comes first in its turn", () => {
    const zones = zonesWith();
    const first = [0, 1, 2, 3].map((turn) => {
      const found = lookup(zones, svc("db.default"), TYPE.A, turn, SETTINGS);
      return found.kind === "ours" && found.answers[0] ? textOf(found.answers[0]) : "";
    });
    assert.deepEqual(new Set(first).size, 2);
    assert.equal(first[0], first[2]);
  });

  test("two apps on one host's network are one address", () => {
    const zones = zonesWith();
    for (const id of ["a", "b"])
      zones.put({ kind: "names", id, records: [{ type: "A", name: "host.marathon.mesos", address: "10.0.0.1" }] });
    assert.equal(said(zones, "host.marathon.mesos", TYPE.A), "ok; 10.0.0.1");
  });

  test("the order in which things are heard does not matter", () => {
    const asked = ROWS.map(({ asked: name, type = "A" }) => said(zonesWith(), name, TYPE[type]));
    fc.assert(
      fc.property(fc.shuffledSubarray([...ENTRIES], { minLength: ENTRIES.length }), (entries) => {
        const zones = zonesWith(entries);
        assert.deepEqual(
          ROWS.map(({ asked: name, type = "A" }) => said(zones, name, TYPE[type])),
          asked,
        );
      }),
      { numRuns: 30 },
    );
  });

  test("a cluster with another domain answers for that", () => {
    const zones = zonesWith();
    zones.put({
      kind: "cluster",
      id: "cluster",
      podRange: "10.42.0.0/16",
      serviceRange: "10.96.0.0/12",
      domain: "Corp.Example",
      mode: "auto",
    });
    assert.equal(said(zones, "web.default.svc.corp.example", TYPE.A), "ok; 10.96.0.10");
    assert.equal(said(zones, "db-0.db.default.svc.corp.example", TYPE.A), "ok; 10.42.0.5");
    assert.equal(said(zones, svc("web.default"), TYPE.A), "elsewhere");
  });
});

test("of fifteen thousand copies an answer has a thousand, none twice and none that is lost, and other ones the next time", () => {
  const zones = zonesWith();
  zones.put({ kind: "node", id: "n9", address: "10.0.0.9", podRange: "10.43.0.0/24" });
  for (let n = 0; n < 15_000; n++) {
    const address = n < 200 ? `10.43.0.${n + 1}` : `10.44.${n >> 8}.${n & 255}`;
    zones.put({ kind: "names", id: `u${n}`, records: [{ type: "A", name: "many.marathon.mesos", address }] });
  }
  zones.setLost(["n9"]);
  const ask = (turn: number) => {
    const found = lookup(zones, "many.marathon.mesos", TYPE.A, turn, SETTINGS);
    assert.ok(found.kind === "ours");
    return found.answers.map(({ data }) => (data.type === "A" ? data.address : 0));
  };
  const seen = new Set<number>();
  for (let turn = 0; turn < 15; turn++) {
    const answers = ask(turn);
    assert.equal(new Set(answers).size, 1000);
    for (const address of answers) seen.add(address);
  }
  assert.equal(seen.size, 14_800);
  assert.ok([...seen].every((address) => !zones.isLost(address)));
});

test("while a host is lost a question looks at some of many copies, and at all only where the others are lost, too", () => {
  let looks = 0;
  class Counting extends Zones {
    override isLost(address: number): boolean {
      looks++;
      return super.isLost(address);
    }
  }
  const zones = new Counting("10.42.0.1");
  zones.put({ kind: "node", id: "n8", address: "10.0.0.8", podRange: "10.45.0.0/16" });
  zones.put({ kind: "node", id: "n9", address: "10.0.0.9", podRange: "10.44.0.0/16" });
  for (let n = 0; n < 15_000; n++) {
    const [target, address] = [`c${n}.marathon.mesos`, `10.44.${n >> 8}.${n & 255}`];
    const srv = { type: "SRV", name: "_many._tcp.marathon.mesos", target, port: 80 } as const;
    zones.put({ kind: "names", id: `u${n}`, records: [srv, { type: "A", name: target, address }] });
  }
  const ask = (): number => {
    const found = lookup(zones, "_many._tcp.marathon.mesos", TYPE.SRV, 3, SETTINGS);
    return found.kind === "ours" ? found.answers.length : 0;
  };
  zones.setLost(["n8"]);
  assert.equal(ask(), 1000);
  assert.ok(looks <= 4_000, `it looked ${looks} times`);
  zones.setLost(["n8", "n9"]);
  assert.equal(ask(), 1000, "with all of them lost they are named all the same");
});

describe("where pods are", () => {
  const texts = (zones: Zones) => zones.podRanges.map(({ text }) => text);
  const node = (id: string, podRange: string) => ({ kind: "node", id, address: "10.0.0.9", podRange }) as const;

  test("is the cluster's range, and those of nodes that are no part of it, as they come and go", () => {
    const zones = zonesWith();
    assert.deepEqual(texts(zones), ["10.42.0.0/16"]);
    zones.put(node("far", "192.168.7.0/24"));
    assert.deepEqual(texts(zones), ["10.42.0.0/16", "192.168.7.0/24"]);
    zones.put(node("far", "10.42.9.0/24"));
    assert.deepEqual(texts(zones), ["10.42.0.0/16"]);
    zones.put(node("far", "192.168.8.0/24"));
    zones.remove("node", "far");
    assert.deepEqual(texts(zones), ["10.42.0.0/16"]);
  });

  test("is not made anew for a packet, of however many nodes", () => {
    const zones = zonesWith();
    for (let n = 0; n < 500; n++) zones.put(node(`n${n}`, `172.16.${n % 256}.0/24`));
    assert.equal(zones.podRanges, zones.podRanges);
    zones.put(node("more", "192.168.9.0/24"));
    assert.ok(texts(zones).includes("192.168.9.0/24"));
  });
});

describe("a table of records", () => {
  const owner = fc
    .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 })
    .map((labels) => labels.join("."));
  const step = fc.record({ source: fc.constantFrom("s1", "s2", "s3"), names: fc.array(owner, { maxLength: 4 }) });

  test("holds what was put last by each source, and what is above it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const table = new RecordTable();
        const last = new Map<string, readonly string[]>();
        for (const { source, names } of steps) {
          table.put(
            source,
            names.map((name) => ({ name, data: { type: "TXT", text: source } })),
          );
          last.set(source, names);
        }
        const all = [...last.values()].flat();
        for (const name of ["a", "b.a", "c", "a.b.c", "b", "c.c.c.c"]) {
          const exists = all.some((each) => each === name || each.endsWith(`.${name}`));
          assert.equal(table.get(name)?.length, exists ? all.filter((each) => each === name).length : undefined, name);
        }
        for (const source of last.keys()) table.remove(source);
        assert.equal(table.size, 0);
      }),
    );
  });
});
