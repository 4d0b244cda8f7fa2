/** The node half of a process, from settings to something that can be started: keeper, engine, drivers, agent. */
import type { Control } from "../agent/control.ts";
import type { Heartbeats } from "../agent/heartbeat/heartbeats.ts";
import { checks } from "../doctor/checks.ts";
import { readHostFacts } from "../doctor/host-facts.ts";
import { keepPlace, type Place, reachOf, readPlace } from "./instance.ts";
import { locateEngine } from "./locate-engine.ts";
import { buildKeeper, buildNodeSide, type NodeSide } from "./node-side.ts";
import type { Settings } from "./settings.ts";
import type { StyrProcess } from "./styr-process.ts";
import type { UpIo } from "./up-io.ts";

export interface NodeHalf {
  readonly node: NodeSide;
  readonly instance: string;
  /** The Docker Engine, in words. */
  readonly engine: string;
}

export interface NodeHalfOptions {
  readonly control: Control;
  /** Default: through `control`. */
  readonly heartbeats?: Heartbeats;
  /** The control plane, `host:port` each, where it is not this process. */
  readonly servers?: () => readonly string[];
  /** Where the control plane in the same process keeps its state. */
  readonly store?: Place["store"];
}

export async function openNodeHalf(process: StyrProcess, options: NodeHalfOptions): Promise<NodeHalf> {
  const { settings, io, random, version, clock, log } = process;
  const keeper = buildKeeper(settings);
  const engine = await locateEngine(settings, keeper, io, (await readPlace(settings.stateDir))?.dockerHost);
  const { networkName: network, cgroupRoot: cgroup, podRange, clusterNetwork, wayInGiven } = settings;
  const { dockerHost } = engine;
  const place = { network, cgroup, podRange, clusterNetwork, dockerHost, ...wayInGiven };
  const { store, ...parts } = options;
  const { instance } = await keepPlace(
    settings.stateDir,
    { ...place, ...(store ? { store, ...reachOf(settings) } : {}) },
    random,
  );
  const node = await buildNodeSide({
    ...{ settings, instance, version, clock, random, log, keeper, dockerHost },
    ...parts,
    meters: process.meters.agent,
  });
  return { node, instance, engine: engine.words };
}

/** What this machine lacks, before anybody wonders. Nothing of it keeps styr from starting. */
export async function sayChecks(settings: Settings, io: UpIo): Promise<void> {
  const facts = await readHostFacts({ stateDir: settings.stateDir, path: process.env.PATH ?? "" });
  for (const { ok, message, fix } of checks.map((check) => check(facts))) {
    if (!ok) io.say(`note: ${message}${fix === undefined ? "" : `; ${fix}`}`);
  }
}
