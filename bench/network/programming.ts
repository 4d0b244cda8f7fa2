/**
 * How long a node takes to bring the kernel's rules up to what it was told: 1,000 Services with 10 endpoints each at once, one endpoint
 * among them, and the first look of an agent that was restarted, with nftables and with iptables. In a host of network namespaces.
 */
import { readFileSync } from "node:fs";
import type { EndpointEntry, EndpointsEntry, NetworkEntry, ServiceEntry } from "../../src/model/network.ts";
import { NetworkState } from "../../src/network/plane/network-state.ts";
import { Touched } from "../../src/network/plane/touched.ts";
import { ServicesPart } from "../../src/network/services/services-part.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import type { Commands } from "../../src/seams/commands.ts";
import { silentLog } from "../../src/seams/log.ts";
import { openNetSpace } from "../../test/harness/net-space.ts";
import { printTable } from "../lib/table.ts";
import { median } from "./measure.ts";
import { withoutProgram } from "./without-program.ts";

const SERVICES = 1000;
const ENDPOINTS = 10;
const CHANGES = 50;
/** Kernel ticks in a second, of all Linux on x86 and Arm. */
const TICK_MS = 10;

async function main(): Promise<void> {
  const space = openNetSpace({ hosts: 2 });
  try {
    const nft = await measure(space.host(1).commands);
    const iptables = await measure(withoutProgram(space.host(2).commands, "nft"));
    const row = (what: string, field: keyof Figures) => [what, nft[field], iptables[field]];
    printTable(
      `${SERVICES} Services of ${ENDPOINTS} endpoints on one node`,
      ["", "nftables", "iptables"],
      [
        row("all at once", "all"),
        row(`one endpoint changes, median of ${CHANGES}`, "one"),
        row("the same, slowest", "slowest"),
        row("CPU of one change, ours and its commands'", "cpu"),
        row("all again, by an agent that was restarted", "again"),
        row("memory that the agent's process has more", "memory"),
      ],
    );
  } finally {
    space.close();
  }
}

type Figures = Readonly<Record<"all" | "one" | "slowest" | "cpu" | "again" | "memory", string>>;

async function measure(commands: Commands): Promise<Figures> {
  const before = residentBytes();
  const part = () =>
    new ServicesPart({ commands, clock: new SystemClock(), log: silentLog, networkName: "bench", bridge: "pods" });
  const [first, state] = [part(), new NetworkState("n1")];
  hear(state, [CLUSTER, ...Array.from({ length: SERVICES }, (_, n) => entriesOf(n)).flat()]);
  const all = await timed(() => first.apply(state, everything()));
  const resident = residentBytes() - before;
  const cpuBefore = cpuMs();
  const took: number[] = [];
  for (let n = 0; n < CHANGES; n++) {
    const touched = hear(state, [endpointsOf((n * 37) % SERVICES, n + 1)]);
    took.push(await timed(() => first.apply(state, touched)));
  }
  const cpu = (cpuMs() - cpuBefore) / CHANGES;
  await first.stop();
  const second = part();
  const again = await timed(() => second.apply(state, everything()));
  await second.remove();
  return {
    all: ms(all),
    one: ms(median(took)),
    slowest: ms(Math.max(...took)),
    cpu: ms(cpu),
    again: ms(again),
    memory: `${(resident / 2 ** 20).toFixed(0)} MiB`,
  };
}

const CLUSTER: NetworkEntry = {
  ...{ kind: "cluster", id: "cluster", podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" },
  ...{ domain: "cluster.local", mode: "auto" },
};

function entriesOf(n: number): readonly NetworkEntry[] {
  const service: ServiceEntry = {
    ...{ kind: "service", id: `default/s${n}`, namespace: "default", name: `s${n}` },
    addresses: [`10.96.${Math.floor(n / 250)}.${(n % 250) + 1}`],
    ports: [{ name: "http", protocol: "tcp", port: 80 }],
    ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
  };
  return [service, endpointsOf(n, 0)];
}

/** `change`: of one of its endpoints. */
function endpointsOf(n: number, change: number): EndpointsEntry {
  const endpoint = (at: number): EndpointEntry => {
    const number = n * ENDPOINTS + at;
    const last = at === 0 ? 1 + (change % 200) : 1 + (number % 250);
    return { address: `10.42.${Math.floor(number / 250)}.${last}`, state: "ready", node: `n${number % 20}` };
  };
  return {
    ...{ kind: "endpoints", id: `default/s${n}-1`, service: `default/s${n}` },
    ports: [{ name: "http", protocol: "tcp", port: 8080 }],
    endpoints: Array.from({ length: ENDPOINTS }, (_, at) => endpoint(at)),
  };
}

function hear(state: NetworkState, entries: readonly NetworkEntry[]): Touched {
  const touched = new Touched();
  state.hear({ type: "changed", revision: 1, entries, removed: [] }, touched);
  return touched;
}

function everything(): Touched {
  const touched = new Touched();
  touched.everything();
  return touched;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** proc(5): utime, stime, and those of children that were waited for. */
function cpuMs(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (
    TICK_MS *
    fields
      .slice(11, 15)
      .map(Number)
      .reduce((sum, one) => sum + one, 0)
  );
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

function ms(value: number): string {
  return value < 100 ? `${value.toFixed(1)} ms` : `${value.toFixed(0)} ms`;
}

await main();
