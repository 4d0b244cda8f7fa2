/**
 * From the store to 500 nodes: how long one change of an endpoint takes to be handed to the rules of another node, how long everything takes
 * to be there at first, and how long the event loop of the server stands still meanwhile. Links are calls within the process: what is
 * measured is the directory, its frames and the agents' side of them, not the wire. `node bench/network/directory.ts`.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { RemoteControl } from "../../src/agent/remote/remote-control.ts";
import { Directory } from "../../src/directory/directory.ts";
import { directorySources } from "../../src/directory/sources.ts";
import { Dispatcher } from "../../src/dispatcher/dispatcher.ts";
import { type EndpointSlice, endpointSlices } from "../../src/model/endpoint-slice.ts";
import type { LeaseDesk } from "../../src/model/heartbeat.ts";
import { kernelKinds } from "../../src/model/kinds.ts";
import { type Service, services } from "../../src/model/service.ts";
import { NetworkPlane } from "../../src/network/plane/network-plane.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import type { Link, LinkListener } from "../../src/seams/link.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { Store } from "../../src/store/store.ts";

const [SERVICES, ENDPOINTS, AGENTS, CHANGES] = [1_000, 10, Number(process.argv[2] ?? 500), 100];

const clock = new SystemClock();
const random = new SystemRandom();
const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log: silentLog });
const leases: LeaseDesk = {
  beat: () => ({ renewed: true, known: true, terms: { heartbeatMs: 1_000 } }),
  goodbye: () => {},
};

function slice(service: number, change: number): EndpointSlice {
  const endpoints = Array.from({ length: ENDPOINTS }, (_, at) => ({
    addresses: [`10.42.${service % 250}.${at + 1}`],
    conditions: { ready: at !== 0 || change % 2 === 0, serving: true, terminating: false },
    nodeName: `node-${(service + at) % 500}`,
    targetRef: { kind: "Pod", namespace: "default", name: `web-${service}-${at}`, uid: `uid-${service}-${at}` },
  }));
  const labels = { "kubernetes.io/service-name": `web-${service}` };
  const metadata = { name: `web-${service}-1`, namespace: "default", labels } as unknown as EndpointSlice["metadata"];
  const ports = [{ name: "http", protocol: "TCP" as const, port: 8080 }];
  const kind = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" } as const;
  return { ...kind, metadata, addressType: "IPv4", endpoints, ports };
}

await store.update((tx) => {
  for (let at = 0; at < SERVICES; at++) {
    const metadata = { name: `web-${at}`, namespace: "default" } as unknown as Service["metadata"];
    const spec = { clusterIP: `10.43.${at >> 8}.${at & 255}`, ports: [{ name: "http", port: 80 }] };
    tx.create<Service>(services, { apiVersion: "v1", kind: "Service", metadata, spec, status: {} });
    tx.create<EndpointSlice>(endpointSlices, slice(at, 0));
  }
});

const directory = new Directory({
  store,
  clock,
  log: silentLog,
  sources: () => directorySources({ discovery: { discover: [], publishers: [] } }),
});
const beganMs = clock.monotonic();
directory.start();
const readMs = clock.monotonic() - beganMs;
const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases, directory });

/** Frames arrive on a later turn of the event loop, as from a socket. */
function linkTo(nodeName: string, listener: LinkListener): Link {
  const down: Link = { send: (text) => void setImmediate(() => listener.frame(text)), close: () => {} };
  const far = dispatcher.accept(down, { nodeName });
  return { send: (text) => void setImmediate(() => far.frame(text)), close: () => {} };
}

let arrived = 0;
let lastMs = 0;
const count = () => {
  arrived++;
  lastMs = clock.monotonic();
};

/** A whole node's side: frames, state, parts. */
function wholeNode(name: string): void {
  const dialer = { dial: (listener: LinkListener) => Promise.resolve(linkTo(name, listener)) };
  const control = new RemoteControl({ dialers: [dialer], clock, random, log: silentLog });
  const part = {
    ...{ name: "services", apply: async () => count(), stop: async () => {}, remove: async () => {} },
    report: () => ({ state: "working" as const }),
  };
  new NetworkPlane({ nodeName: name, parts: [part], clock, log: silentLog }).follow(control);
}

/** One that reads no more of a frame than what it has to answer: this process is to be the server. */
function oneOfTheCrowd(name: string): void {
  const listener: LinkListener = {
    frame: (text) => {
      const [, stream, sequence, part, revision] = /^\["e",(\d+),(\d+),"(\w+)",(\d+)/.exec(text) ?? [];
      if (stream === undefined) return;
      link.send(`["g","${name}",${stream},${sequence},0]`);
      if (part !== "all" && part !== "changed") return;
      count();
      link.send(`["a","${name}",${stream},${revision}]`);
    },
    bytes: () => {},
    closed: () => {},
  };
  const link = linkTo(name, listener);
  link.send(`["s","${name}"]`);
  link.send(`["c","${name}",1,1,{"method":"network","stream":1}]`);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await clock.sleep(1);
}

const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
const heapBefore = process.memoryUsage().heapUsed;
const dialedMs = clock.monotonic();
wholeNode("node-0");
for (let at = 1; at < AGENTS; at++) oneOfTheCrowd(`node-${at}`);
await until(() => arrived >= AGENTS);
const allMs = lastMs - dialedMs;
const startLag = { p99: loop.percentile(99) / 1e6, max: loop.max / 1e6 };
await until(() => directory.settledRevision === directory.revision);

// A server that has just begun to lead waits for those it has not heard yet.
await clock.sleep(2_100);
loop.reset();
const [firstMs, everyMs, settledMs]: number[][] = [[], [], []];
for (let change = 1; change <= CHANGES; change++) {
  arrived = 0;
  const at = change % SERVICES;
  const before = store.get(endpointSlices, `default/web-${at}-1`) as EndpointSlice;
  const sentMs = clock.monotonic();
  await store.update(
    (tx) => void tx.update(endpointSlices, { ...before, endpoints: slice(at, change + 1).endpoints.toReversed() }),
  );
  await until(() => arrived >= 1);
  firstMs?.push(clock.monotonic() - sentMs);
  await until(() => arrived >= AGENTS);
  everyMs?.push(lastMs - sentMs);
  await until(() => directory.settledRevision === directory.revision);
  settledMs?.push(clock.monotonic() - sentMs);
  await clock.sleep(20);
}

const median = (all: readonly number[] = []) => all.toSorted((a, b) => a - b)[all.length >> 1]?.toFixed(1);
const p99 = (all: readonly number[] = []) => all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.99)]?.toFixed(1);
const line = (what: string, value: string) => process.stdout.write(`${what.padEnd(58)}${value}\n`);
line(`${SERVICES} services x ${ENDPOINTS} endpoints read into entries`, `${readMs.toFixed(0)} ms`);
line(`all of them to ${AGENTS} nodes at once`, `${allMs.toFixed(0)} ms`);
line("  event loop meanwhile", `p99 ${startLag.p99.toFixed(1)}, max ${startLag.max.toFixed(1)} ms`);
line("one changed endpoint: store to the first node's rules", `median ${median(firstMs)}, p99 ${p99(firstMs)} ms`);
line(`  to all ${AGENTS}`, `median ${median(everyMs)}, p99 ${p99(everyMs)} ms`);
line("  until every node is known to have it", `median ${median(settledMs)}, p99 ${p99(settledMs)} ms`);
line("  event loop meanwhile", `p99 ${(loop.percentile(99) / 1e6).toFixed(1)}, max ${(loop.max / 1e6).toFixed(1)} ms`);
line("memory of it all", `${((process.memoryUsage().heapUsed - heapBefore) / 2 ** 20).toFixed(0)} MiB`);
process.exit(0);
