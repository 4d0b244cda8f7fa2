/**
 * The server of names as a program: `main.mjs FOLDER VERSION CONFIG`. It goes on with what it knows when the agent is away, and ends when
 * it is asked to, or when its socket is no longer in its folder. What goes wrong stands in `names.log` there.
 */
import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shortSocketPath } from "../../../lib/socket-path.ts";
import { TokenBucket } from "../../../lib/token-bucket.ts";
import { rfc3339, SystemClock } from "../../../seams/clock.ts";
import { SystemRandom } from "../../../seams/random.ts";
import type { FeedReport } from "../feed.ts";
import { pidFile, socketFile } from "../resident-files.ts";
import { TYPE } from "../wire/constants.ts";
import { nameBytes } from "../wire/name.ts";
import { Zones } from "../zones/zones.ts";
import { Answerer } from "./answerer.ts";
import { ClientGate } from "./client-gate.ts";
import type { NamesConfig } from "./config.ts";
import { Counters } from "./counters.ts";
import { DnsDoors } from "./dns-doors.ts";
import { askByUdp } from "./exchange.ts";
import { FeedDoor } from "./feed-door.ts";
import { Forwarder } from "./forwarder.ts";
import { Upstreams } from "./upstreams.ts";

const [folder = "", version = "", given = "{}"] = process.argv.slice(2);
const config = JSON.parse(given) as NamesConfig;
const ALIVE_MS = 5000;
const PROBE_MS = 2000;

process.umask(0o077);
const clock = new SystemClock();
const LOG_LINES = { burst: 200, perSecond: 0.1 };
const lines = new TokenBucket(LOG_LINES, clock.monotonic());
const log = (message: string) => {
  if (lines.take(LOG_LINES, clock.monotonic())) process.stderr.write(`${rfc3339(clock.now())} ${message}\n`);
};
const random = new SystemRandom();
const counters = new Counters();
const zones = new Zones(config.address);
const rules = { burst: config.clientBurst, perSecond: config.clientPerSecond };
const gate = new ClientGate({ clock, rules, podRanges: () => zones.podRanges });
const upstreams = new Upstreams({
  ...{ resolvConf: config.resolvConf, self: config.address, clock, random },
  probe: (server, name) => void probe(server, name),
});
const forwarder = new Forwarder({ upstreams, counters, clock, random });
const { ttlSeconds, negativeSeconds } = config;
const settings = { ttlSeconds, negativeSeconds };
const answerer = new Answerer({ zones, gate, forwarder, upstreams, counters, clock, settings });
const doors = new DnsDoors({ address: config.address, port: config.port, answerer, counters, clock, report: log });
let isFed = false;

const feed = new FeedDoor({ zones, report, fed, end, log });
const socketPath = join(folder, socketFile(version));
rmSync(socketPath, { force: true });
const place = shortSocketPath(folder, socketFile(version));
feed.server.on("error", (error) => {
  log(`Error: cannot listen to the agent: ${error.message}`);
  process.exit(1);
});
feed.server.listen(place.path, () => {
  place.close();
  writeFileSync(join(folder, pidFile(version)), `${process.pid}\n`);
  log(`${process.pid} is ready`);
  watchSocket(statSync(socketPath).ino);
});
// A bug in one answer must not take all others' names away.
process.on("uncaughtException", (error) => log(String(error.stack)));
process.on("unhandledRejection", (error) => log(String((error as Error).stack ?? error)));
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => log(`${signal} is ignored`));
process.on("SIGTERM", () => void end());

async function fed(isBeside: boolean): Promise<void> {
  if (!isFed) upstreams.start();
  isFed = true;
  await doors.open(isBeside);
}

async function end(): Promise<void> {
  upstreams.stop();
  await doors.close();
  if (existsSync(socketPath)) rmSync(socketPath);
  rmSync(join(folder, pidFile(version)), { force: true });
  log(`${process.pid} ends`);
  process.exit(0);
}

function report(): FeedReport {
  const problem = doors.problem ?? upstreams.problem ?? doors.jam;
  return {
    ...{ pid: process.pid, isOpen: doors.isOpen, isWaiting: doors.isWaiting, isFed, counts: counters.counts },
    ...{ names: zones.table.size, memoryBytes: process.memoryUsage.rss() },
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Somebody removed the folder, or put another one there: nobody could tell this server anything any more. */
function watchSocket(inode: number): void {
  clock.setTimer(ALIVE_MS, () => {
    if (existsSync(socketPath) && statSync(socketPath).ino === inode) return watchSocket(inode);
    log("its socket is gone");
    void doors.close().then(() => process.exit(0));
  });
}

/** Whether the question comes back is heard elsewhere (Upstreams); what is answered to it is of no account. */
async function probe(server: string, name: string): Promise<void> {
  const bytes = nameBytes(name);
  if (!bytes) return;
  const question = Buffer.concat([bytes, Buffer.from([0, TYPE.TXT, 0, 1])]);
  const signal = AbortSignal.timeout(PROBE_MS);
  const id = random.int(65_536);
  await askByUdp({ question, isCheckingDisabled: false }, { server, id, signal }).then(
    () => upstreams.succeeded(server),
    ({ message }: Error) => {
      upstreams.failed(server);
      log(`${server} was asked whether it asks us: ${message}`);
    },
  );
}
