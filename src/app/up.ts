/** `styr up`: a control plane and an agent in one process, from an empty machine to running. */
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { StoreControl } from "../dispatcher/store-control.ts";
import { checks } from "../doctor/checks.ts";
import { readHostFacts } from "../doctor/host-facts.ts";
import { type Mounted, mountApis } from "../http/mount.ts";
import { SystemClock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import { SystemRandom } from "../seams/random.ts";
import { SqliteJournal } from "../store/journals/sqlite.ts";
import { ControlPlane } from "./control-plane.ts";
import { runDemo } from "./demo.ts";
import { keepPlace, readPlace } from "./instance.ts";
import { LateControl } from "./late-control.ts";
import { LateMounted } from "./late-mounted.ts";
import { LateNodeAccess } from "./late-node-access.ts";
import { answers, type Listening, listenPlain, listenTls, listenUnix } from "./listen.ts";
import { locateEngine } from "./locate-engine.ts";
import { openLog } from "./log.ts";
import { buildKeeper, buildNodeSide, foldersOf, hostAddress } from "./node-side.ts";
import { openWhenPossible, refuseLostStore, tryOpen } from "./open-store.ts";
import { personalities } from "./personalities.ts";
import { openPki } from "./pki.ts";
import type { Settings } from "./settings.ts";
import { stopApi } from "./stop-route.ts";
import type { UpIo } from "./up-io.ts";
import { programVersion } from "./version.ts";

export interface UpOptions {
  readonly demo: boolean;
  /** Begin with an empty store although this node was asked to run pods: they are stopped. */
  readonly newStore: boolean;
}

/** Runs until `signal` aborts. Throws an Error with words for people when it cannot start; then nothing is left running that was not before. */
export async function up(settings: Settings, io: UpIo, options: UpOptions): Promise<void> {
  if (await answers(settings.socketPath)) {
    throw new Error(`styr is running already on ${settings.stateDir}; see it with: ${styrWith(settings)} status`);
  }
  const clock = new SystemClock();
  const random = new SystemRandom();
  const version = programVersion();
  await mkdir(settings.stateDir, { recursive: true, mode: 0o711 });
  const log = openLog(foldersOf(settings.stateDir).logs, settings.logLevel);
  log.info("starting", { version, stateDir: settings.stateDir });
  const stopping = new AbortController();
  io.signal.addEventListener("abort", () => stopping.abort(), { once: true });
  const access = new LateNodeAccess();
  const address = `${hostAddress()}:${settings.port}`;
  const processApi = stopApi(() => stopping.abort());
  const { record } = foldersOf(settings.stateDir);
  const openPlane = async () => {
    if (!options.newStore) await refuseLostStore(settings.stateDir, record);
    const journal = await SqliteJournal.open(join(settings.stateDir, "store.db"));
    const parts = { journal, clock, random, log, personalities, version, address, nodeAccess: access };
    const more = { strategy: settings.strategy, hostname: hostname(), moreApis: [processApi] };
    // Another attempt must find the file free.
    return ControlPlane.open({ ...parts, ...more }).catch(async (error: unknown) => {
      await journal.close();
      throw error;
    });
  };
  const first = await tryOpen(openPlane, record);
  let plane = first.opened;

  await sayChecks(settings, io);
  const keeper = buildKeeper(settings);
  const engine = await locateEngine(settings, keeper, io, (await readPlace(settings.stateDir))?.dockerHost);
  const { networkName: network, cgroupRoot: cgroup, podRange } = settings;
  const { instance } = await keepPlace(
    settings.stateDir,
    { network, cgroup, podRange, dockerHost: engine.dockerHost },
    random,
  );
  const control = new LateControl();
  const mounted = new LateMounted(mountApis([processApi]), () => first.problem);
  const node = await buildNodeSide({
    ...{ settings, instance, version, clock, random, log, keeper, control },
    dockerHost: engine.dockerHost,
  });
  access.set(node.agent.access);
  const begin = (opened: ControlPlane) => {
    plane = opened;
    control.set(new StoreControl(opened.store, opened.lifecycle));
    mounted.set(opened.mounted);
    opened.start();
  };
  const listening: Listening[] = [];
  let later: Promise<void> | undefined;
  try {
    await listen(settings, mounted, listening, clock.now());
    if (plane) begin(plane);
    else later = beginLater(openPlane, begin, { log, io, signal: stopping.signal, problem: first.problem });
    await node.start();
    announce(settings, io, listening, engine.words);
    if (options.demo) await runDemo(settings, { ...io, signal: stopping.signal }, { ...node, instance });
    await untilAborted(stopping.signal);
  } finally {
    stopping.abort();
    io.say("stopping styr; what runs goes on running");
    await later;
    await Promise.all(listening.map((one) => one.close()));
    await node.stop();
    await plane?.stop();
    log.info("stopped");
  }
  const state = settings.isDefaultState ? "" : ` --state ${settings.stateDir}`;
  io.say(`npx styr up${state} adopts it again; npx styr down${state} stops and removes it`);
}

/** A broken store stops nothing: the agent goes by its own record, and the control plane begins when the store can be opened. */
async function beginLater(
  openPlane: () => Promise<ControlPlane>,
  begin: (plane: ControlPlane) => void,
  { log, io, signal, problem }: { log: Log; io: UpIo; signal: AbortSignal; problem: string },
): Promise<void> {
  log.error("no control plane", { why: problem });
  io.say(problem);
  io.say(
    "What this node was asked for before goes on running by its own record; nothing can be read or changed until then.",
  );
  const opened = await openWhenPossible(openPlane, log, signal);
  if (!opened) return;
  log.info("the store could be opened");
  io.say("the store could be opened; the control plane is there");
  begin(opened);
}

/** What this machine lacks, before anybody wonders. Nothing of it keeps styr from starting. */
async function sayChecks(settings: Settings, io: UpIo): Promise<void> {
  const facts = await readHostFacts({ stateDir: settings.stateDir, path: process.env.PATH ?? "" });
  for (const { ok, message, fix } of checks.map((check) => check(facts))) {
    if (!ok) io.say(`note: ${message}${fix === undefined ? "" : `; ${fix}`}`);
  }
}

async function listen(settings: Settings, mounted: Mounted, listening: Listening[], nowMs: number): Promise<void> {
  const pki = await openPki(settings.stateDir, nowMs);
  listening.push(await listenUnix(mounted, settings.socketPath));
  listening.push(await listenTls(mounted, pki, settings));
  if (settings.http) listening.push(await listenPlain(mounted, settings.http));
}

function announce(settings: Settings, io: UpIo, listening: readonly Listening[], engine: string): void {
  const styr = styrWith(settings);
  const [, tls, plain] = listening;
  io.say("");
  io.say(`Styrmann ${programVersion()} is up`);
  io.say(`  listening  ${[tls?.url, plain?.url, settings.socketPath].filter((at) => at !== undefined).join("  ")}`);
  io.say(`  engine     ${engine}`);
  io.say(`  state      ${settings.stateDir}`);
  io.say(`  logs       ${join(foldersOf(settings.stateDir).logs, "styr.log")}`);
  io.say(`  token      ${join(settings.stateDir, "pki/admin.token")}   CA ${join(settings.stateDir, "pki/ca.crt")}`);
  io.say("Next, in another terminal:");
  io.say(`  ${styr} apply -f FILE     run a fleet unit, a Marathon app or Kubernetes objects`);
  io.say(`  ${styr} ps                what is wanted and what runs`);
  io.say(`  ${styr} why NAME          why it is where and how it is`);
  io.say("Ctrl-C stops styr and leaves everything running.");
}

/** How to call the client so that it finds this server. */
export function styrWith(settings: Settings): string {
  return settings.isDefaultState ? "npx styr" : `npx styr --server unix://${settings.socketPath}`;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // Nothing else may be holding the process when it only waits.
    const alive = setInterval(() => {}, 2 ** 30);
    signal.addEventListener(
      "abort",
      () => {
        clearInterval(alive);
        resolve();
      },
      { once: true },
    );
  });
}
