/**
 * `styr up` with a fake engine: every module that it loads, the same store, listeners, log and agent, and containers that are only
 * written down. Run as a process of its own, so that its memory is its own; says its URL on its standard output.
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { Agent } from "../../src/agent/agent.ts";
import { FileRecord } from "../../src/agent/local-record.ts";
import { SystemHost } from "../../src/agent/node-host.ts";
import { FileVolumes } from "../../src/agent/volumes.ts";
import { ControlPlane } from "../../src/app/control-plane.ts";
import { LateNodeAccess } from "../../src/app/late-node-access.ts";
import { listenPlain, listenTls, listenUnix } from "../../src/app/listen.ts";
import { openLog } from "../../src/app/log.ts";
import { buildNodeSide } from "../../src/app/node-side.ts";
import { personalities } from "../../src/app/personalities.ts";
import { openPki } from "../../src/app/pki.ts";
import { up } from "../../src/app/up.ts";
import { clientVersion } from "../../src/cli/client-version.ts";
import { StoreControl } from "../../src/dispatcher/store-control.ts";
import { FakeDriver } from "../../src/drivers/fake/fake-driver.ts";
import { FakeMachine } from "../../src/drivers/fake/fake-machine.ts";
import { AddressPool } from "../../src/network/address-pool.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import { SystemTransport } from "../../src/seams/transport.ts";
import { SqliteJournal } from "../../src/store/journals/sqlite.ts";

async function main(state: string): Promise<void> {
  // Named so that nothing `styr up` loads is left out.
  if (![up, buildNodeSide].every((one) => typeof one === "function")) throw new Error("the program is not whole");
  const [clock, random, log] = [new SystemClock(), new SystemRandom(), openLog(join(state, "logs"), "info")];
  const access = new LateNodeAccess();
  const journal = await SqliteJournal.open(join(state, "store.db"));
  const plane = await ControlPlane.open({
    ...{ journal, clock, random, log, personalities, strategy: "spread", address: "127.0.0.1:7443" },
    ...{ hostname: hostname(), version: clientVersion(), nodeAccess: access },
  });
  const agent = new Agent({
    ...{
      clock,
      random,
      log,
      nodeName: "bench",
      labels: {},
      hostAddress: "127.0.0.1",
      reserve: {},
      version: clientVersion(),
    },
    control: new StoreControl(plane.store, plane.lifecycle),
    drivers: new Map([["docker", new FakeDriver({ machine: new FakeMachine(clock), name: "docker" })]]),
    addresses: new AddressPool("10.42.0.0/16"),
    volumes: new FileVolumes(join(state, "volumes"), { canMount: false }),
    record: new FileRecord(join(state, "pods"), log),
    host: new SystemHost(join(state, "agent"), random),
    transport: new SystemTransport(),
  });
  access.set(agent.access);
  const pki = await openPki(state, clock.now());
  await listenUnix(plane.mounted, join(state, "styr.sock"));
  await listenTls(plane.mounted, pki, { host: "127.0.0.1", port: 0 });
  const { url } = await listenPlain(plane.mounted, { host: "127.0.0.1", port: 0 });
  plane.start();
  await agent.start();
  console.log(url);
  process.stdin.on("data", () => {
    const { heapTotal, external } = process.memoryUsage();
    console.log(JSON.stringify({ rss: residentBytes(), heapTotal, external }));
  });
  process.stdin.on("end", () => process.exit());
}

/** As the kernel counts it, with the part that is shared with other processes of the same program. */
function residentBytes(): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kib) * 1024;
}

await main(process.argv[2] ?? "");
