/** `styr down`: stops styr and removes everything it made on this machine, and only that. */
import { existsSync } from "node:fs";
import type { Control } from "../agent/control.ts";
import { FileRecord } from "../agent/local-record.ts";
import { removeEverything } from "../drivers/docker/remove-everything.ts";
import { DriverError } from "../drivers/driver.ts";
import { KEEPER_CGROUPS } from "../drivers/keeper/launcher.ts";
import { driverOf } from "../model/pod.ts";
import { SystemClock } from "../seams/clock.ts";
import { silentLog } from "../seams/log.ts";
import { SystemRandom } from "../seams/random.ts";
import type { Place } from "./instance.ts";
import { stopOwnDaemon } from "./locate-engine.ts";
import { buildKeeper, buildNodeSide, foldersOf, type NodeSide } from "./node-side.ts";
import { removeState } from "./remove-state.ts";
import type { Settings } from "./settings.ts";
import { stopRunning } from "./stop-running.ts";
import { isEtcd } from "./store-place.ts";
import { programVersion } from "./version.ts";

/** Nobody assigns anything any more. */
const NO_CONTROL: Control = {
  registerNode: async () => {},
  watchPods() {},
  report: async () => {},
  keyValues: async () => undefined,
  heartbeat: async () => ({ renewed: true, known: true, terms: { heartbeatMs: 1_000 } }),
  goodbye: async () => {},
};

/** Each run is stopped with at most this much grace: a person is waiting. */
const MOST_GRACE_MS = 10_000;

export interface DownOptions {
  readonly force: boolean;
  /** Called when nothing of styr runs here any more, before its files go. */
  readonly stopped?: () => Promise<void>;
}

/** Throws an Error with words when something could not be removed; run again, it goes on where it was. */
export async function down(
  settings: Settings,
  place: Place | undefined,
  say: (line: string) => void,
  options: DownOptions,
): Promise<void> {
  const { stateDir } = settings;
  if (await stopRunning(settings.socketPath)) say("stopped styr");
  if (place === undefined) {
    say(`nothing to remove: no styr has run on ${stateDir}`);
    await options.stopped?.();
    return;
  }
  if (hadAgent(stateDir)) await removeNode(settings, place, say, options);
  await options.stopped?.();
  await removeState(stateDir, say);
  if (place.store && isEtcd(place.store))
    say(`what was asked for stays in etcd, where the other servers have it: ${place.store.url}`);
}

/** A server alone has run nothing, and made neither cgroups nor a network: others of these names are somebody else's. */
function hadAgent(stateDir: string): boolean {
  const { agent, keeper } = foldersOf(stateDir);
  return existsSync(agent) || existsSync(keeper);
}

/** All that an agent here had run, and what it was run in. */
async function removeNode(
  settings: Settings,
  place: Place,
  say: (line: string) => void,
  options: DownOptions,
): Promise<void> {
  const clock = new SystemClock();
  const { instance } = place;
  const dockerHost = settings.dockerHost ?? place.dockerHost;
  const keeper = buildKeeper(settings);
  const node = await buildNodeSide({
    ...{ settings, instance, dockerHost, clock, keeper },
    control: NO_CONTROL,
    version: programVersion(),
    random: new SystemRandom(),
    log: silentLog,
  });
  if (!options.force && (await mayHaveContainers(settings))) await insistOnEngine(node);
  await removeRuns(node, say);
  await removeNetwork(node, say);
  await removeFromEngine(node, settings, instance, say);
  // Only root has cgroups to give, so only root's styr has kept processes.
  if (process.geteuid?.() === 0) {
    if (await stopOwnDaemon(keeper))
      say("stopped the Docker daemon that styr had started; its images stay in /var/lib/docker");
    await keeper.shutdown();
    await node.cgroups.removeAll(KEEPER_CGROUPS);
  }
}

/** By the agent's record: pods with an image, and units that had started containers. */
async function mayHaveContainers(settings: Settings): Promise<boolean> {
  const records = await new FileRecord(foldersOf(settings.stateDir).record, silentLog).load();
  return records.some(({ pod, status }) => {
    const usesDocker = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some(
      (container) => driverOf(container) === "docker",
    );
    const started = status?.containerStatuses?.some(({ children }) => (children?.length ?? 0) > 0) ?? false;
    return usesDocker || started;
  });
}

/** Without its engine what runs there could not be removed, and with the state directory its marks would be lost. */
async function insistOnEngine({ drivers }: NodeSide): Promise<void> {
  const report = await drivers.get("docker")?.describe();
  if (report?.ready) return;
  throw new Error(
    `containers of this cluster may still be there, and they cannot be removed now: ${report?.reason}\n` +
      "nothing was removed; run styr down again when the engine answers, or styr down --force to forget them",
  );
}

async function removeRuns({ agent }: NodeSide, say: (line: string) => void): Promise<void> {
  let removed = 0;
  const { failures } = await agent.removeEverything(({ done }) => {
    removed = done;
  }, MOST_GRACE_MS);
  if (removed > 0)
    say(
      `stopped and removed ${removed} ${removed === 1 ? "container, process or unit" : "containers, processes and units"}`,
    );
  if (failures > 0) throw new Error(`${failures} could not be removed; run styr down again`);
}

/** Routes, rules, devices and servers of names and of the way in: only root has made any. */
async function removeNetwork({ network }: NodeSide, say: (line: string) => void): Promise<void> {
  if (network?.isRouted !== true) return;
  await network.remove();
  say("removed this host's part of the cluster's network: routes, rules, names, the way in");
}

/** What is left on the engine when the pods are gone: the network, images made here, containers that units had started. */
async function removeFromEngine(
  { engine }: NodeSide,
  settings: Settings,
  instance: string,
  say: (line: string) => void,
): Promise<void> {
  const what = { instance, network: settings.networkName, cgroupRoot: settings.cgroupRoot, clock: new SystemClock() };
  try {
    const { containers, network, images } = await removeEverything(engine, what);
    if (containers.length > 0) say(`removed the containers that units had started: ${containers.join(", ")}`);
    if (network) say(`removed the network ${settings.networkName}`);
    if (images > 0) say(`removed ${images} ${images === 1 ? "image" : "images"} made here`);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    // Without an engine there was nothing of ours on it, or nobody can reach it now: say which engine, and go on.
    say(`Docker: nothing removed there (${error.message})`);
  }
}
