/**
 * 500 agents ask their server for the network at once, as after its restart: over TLS WebSockets, the agents in a process of their own. What it
 * costs the server's process (CPU, how long its event loop stands still) and the wire, for agents that read plain text only, that
 * read packed text, and that come back with nearly all of it. `npm run bench:network -- reconnect`; AGENTS=100 for fewer.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Dispatcher } from "../../src/dispatcher/dispatcher.ts";
import { kernelKinds } from "../../src/model/kinds.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { Store } from "../../src/store/store.ts";
import { makeTrust, openDoor, until } from "../../test/contract/link/tls-stage.ts";
import { printTable } from "../lib/table.ts";
import type { CrowdOrder, CrowdReport } from "./reconnect-crowd.ts";
import { directoryOf, largeNetwork, smallNetwork } from "./reconnect-entries.ts";

const AGENTS = Number(process.env.AGENTS ?? 500);
const MOST_MS = 300_000;

const clock = new SystemClock();
const random = new SystemRandom();
const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log: silentLog });
const leases = {
  beat: () => ({ renewed: true, known: true, terms: { heartbeatMs: 1_000 } }),
  goodbye: () => {},
};

interface Way {
  readonly words: string;
  readonly isLarge: boolean;
  readonly asks: CrowdOrder["asks"];
}

const ways: readonly Way[] = [false, true].flatMap((isLarge) => [
  { words: "plain text", isLarge, asks: "plain" as const },
  { words: "packed", isLarge, asks: "packed" as const },
  { words: "comes back, 20 entries are others", isLarge, asks: "again" as const },
]);

const [only] = process.argv.slice(2);
const rows: (string | number)[][] = [];
for (const way of ways) if (only === undefined || way.asks === only) rows.push(await measure(way));
printTable(
  `${AGENTS} agents ask for the network at once`,
  [
    "",
    "entries",
    "all of them",
    "to each agent",
    "until all have it",
    "server's CPU each",
    "its loop, p99",
    "its loop, max",
  ],
  rows,
);
process.exit(0);

async function measure({ words, isLarge, asks }: Way): Promise<(string | number)[]> {
  const entries = isLarge ? largeNetwork() : smallNetwork();
  const directory = directoryOf(entries, store, clock);
  directory.start();
  const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases, directory });
  const trust = await makeTrust();
  const door = await openDoor(trust, (peer) => (link) => dispatcher.accept(link, peer));
  const material = await trust.client("server", "server");
  const crowd = fork(`${import.meta.dirname}/reconnect-crowd.ts`, {
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  try {
    crowd.send({ url: door.url, material, agents: AGENTS, asks, isLarge } satisfies CrowdOrder);
    await once(crowd, "message");
    await until("all links are open", () => dispatcher.sessions === AGENTS, MOST_MS);
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const before = process.cpuUsage();
    crowd.send("ask");
    const [{ bytes, tookMs }] = (await once(crowd, "message")) as [CrowdReport];
    const { user, system } = process.cpuUsage(before);
    loop.disable();
    const chars = entries.reduce((sum, entry) => sum + JSON.stringify(entry).length, 0);
    const cpuMs = (user + system) / 1_000 / AGENTS;
    const lag = (ns: number) => `${(ns / 1e6).toFixed(0)} ms`;
    return [
      ...[words, entries.length, `${(chars / 1e6).toFixed(1)} MB`, `${(bytes / AGENTS / 1e3).toFixed(1)} kB`],
      ...[`${(tookMs / 1_000).toFixed(1)} s`, `${cpuMs.toFixed(1)} ms`, lag(loop.percentile(99)), lag(loop.max)],
    ];
  } finally {
    crowd.kill();
    dispatcher.stop();
    directory.stop();
    await door.close();
    await trust.close();
  }
}
