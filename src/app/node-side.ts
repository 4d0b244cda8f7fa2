/** The agent half of a process: the keeper, the drivers and the agent, put together. */
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Agent } from "../agent/agent.ts";
import type { Control } from "../agent/control.ts";
import { isDiskShort, probeDisk } from "../agent/heartbeat/disk-probe.ts";
import type { Heartbeats } from "../agent/heartbeat/heartbeats.ts";
import { ThreadHeartbeats } from "../agent/heartbeat/thread-heartbeats.ts";
import { FileRecord } from "../agent/local-record.ts";
import { SystemHost } from "../agent/node-host.ts";
import { allocatableOf, type Reserve } from "../agent/node-report.ts";
import { FileVolumes } from "../agent/volumes.ts";
import { CgroupTree } from "../drivers/cgroup/cgroup-tree.ts";
import { DockerDriver } from "../drivers/docker/docker-driver.ts";
import { type Engine, engineAt } from "../drivers/docker/engine.ts";
import { type Driver, DriverError } from "../drivers/driver.ts";
import { KeeperClient } from "../drivers/keeper/keeper-client.ts";
import { ProcessDriver } from "../drivers/process/process-driver.ts";
import { UnitDriver } from "../drivers/unit/unit-driver.ts";
import { deviceName } from "../lib/device-name.ts";
import { AGENT_METRICS, type AgentMeters } from "../metrics/agent-metrics.ts";
import { Meters } from "../metrics/meters.ts";
import type { Goodbye } from "../model/heartbeat.ts";
import type { DriverName } from "../model/pod.ts";
import { AddressPool } from "../network/address-pool.ts";
import { hostClash } from "../network/host-routes.ts";
import type { Clock } from "../seams/clock.ts";
import { SystemCommands } from "../seams/commands.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import { SystemTransport } from "../seams/transport.ts";
import { HostAddress } from "./host-address.ts";
import { meteredAgentParts, provideNodePods } from "./metered/agent-parts.ts";
import { provideNetwork } from "./metered/metered-network.ts";
import { networkAnswers } from "./network/network-answers.ts";
import { leaveNetwork, networkOfNode } from "./network/network-of-node.ts";
import { LONE_POD_RANGE } from "./network/network-options.ts";
import type { NetworkSide } from "./network/network-side.ts";
import type { Settings } from "./settings.ts";
import { UnitContainers } from "./unit-containers.ts";

export interface NodeSide {
  readonly agent: Agent;
  readonly keeper: KeeperClient;
  readonly engine: Engine;
  readonly drivers: ReadonlyMap<DriverName, Driver>;
  readonly cgroups: CgroupTree;
  /** Absent: the pods' network is this host's alone. */
  readonly network: NetworkSide | undefined;
  /** What the agent counts, for /metrics. */
  readonly meters: AgentMeters;
  start(): Promise<void>;
  /** Everything that runs goes on running. `why`: what the cluster hears; by default what is seen of the host. */
  stop(why?: Goodbye["why"]): Promise<void>;
}

export interface NodeSideOptions {
  readonly settings: Settings;
  readonly instance: string;
  readonly keeper: KeeperClient;
  readonly control: Control;
  /** Default: through `control`. */
  readonly heartbeats?: Heartbeats;
  /** Where the Docker Engine is, or where it would be once there is one. */
  readonly dockerHost: string;
  readonly version: string;
  /** The control plane, `host:port` each, where it is not this process. */
  readonly servers?: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where the agent counts, if others count there too. */
  readonly meters?: AgentMeters;
}

/** Folders of a state directory, all of them below it. */
export function foldersOf(stateDir: string) {
  const at = (name: string) => join(stateDir, name);
  return {
    keeper: at("keeper"),
    agent: at("agent"),
    record: join(at("agent"), "pods"),
    volumes: at("volumes"),
    processes: at("processes"),
    units: at("units"),
    logs: at("logs"),
    network: at("network"),
  };
}

export function buildKeeper({ stateDir, cgroupRoot }: Settings): KeeperClient {
  return new KeeperClient({ stateDir: foldersOf(stateDir).keeper, cgroupRoot });
}

export async function buildNodeSide(options: NodeSideOptions): Promise<NodeSide> {
  const { settings, keeper, control, version, clock, random, log } = options;
  const folders = foldersOf(settings.stateDir);
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o711 });
  const cgroups = new CgroupTree({ root: settings.cgroupRoot });
  const engine = engineAt(options.dockerHost);
  const unitContainers = new UnitContainers({
    ...{ ...options, engine, cgroupRoot: settings.cgroupRoot },
    network: settings.networkName,
  });
  const unit = buildUnitDriver(options, cgroups, unitContainers);
  const following = new AbortController();
  const meters = options.meters ?? new Meters(AGENT_METRICS);
  const address = new HostAddress({ commands: new SystemCommands(), clock, log });
  const ofNetwork = {
    ...{ settings, engine, control, clock, random, log, meters, folder: folders.network, instance: options.instance },
    ...{ nodeName: nodeNameOf(settings), hostAddress: () => address.current },
    ...(options.servers === undefined ? {} : { servers: options.servers }),
  };
  const network = await networkOfNode(ofNetwork);
  const drivers = buildDrivers(options, { cgroups, engine, unit, network });
  const host = new SystemHost(folders.agent, random);
  const reserve = {
    ...(settings.reserved.cpuMillis === undefined ? {} : { cpuMillis: settings.reserved.cpuMillis }),
    ...(settings.reserved.memoryBytes === undefined ? {} : { memoryBytes: settings.reserved.memoryBytes }),
  };
  const heartbeats = options.heartbeats ?? new ThreadHeartbeats(control, clock);
  const agent = new Agent({
    control,
    ...meteredAgentParts({ drivers, heartbeats, transport: new SystemTransport() }, clock, meters),
    ...(network
      ? {
          ...{ addresses: network.addresses, gate: network.plane, network: network.node },
          answerNetwork: networkAnswers({
            ...{ plane: network.plane, commands: new SystemCommands(), networkName: settings.networkName },
          }),
        }
      : { addresses: new AddressPool(settings.podRange ?? LONE_POD_RANGE) }),
    podNetwork: settings.networkName,
    volumes: new FileVolumes(folders.volumes, { canMount: process.geteuid?.() === 0 }),
    record: new FileRecord(folders.record, log),
    host,
    probeDisk: () => probeDisk(folders.agent),
    isDiskShort: (wasShort) => isDiskShort(folders.agent, wasShort),
    clock,
    random: random.fork("agent"),
    log,
    nodeName: nodeNameOf(settings),
    labels: settings.labels,
    get hostAddress() {
      return address.current;
    },
    reserve,
    version,
  });
  provideNodePods(meters, agent);
  if (network) provideNetwork(meters, network.plane);
  return {
    ...{ agent, keeper, engine, drivers, cgroups, meters, network },
    start: async () => {
      // Before anything starts: a child's quota must lie within it (cgroup v1).
      reserveForHost(cgroups, allocatableOf(await host.read(), reserve), log);
      if (network === undefined) await leaveNetwork(ofNetwork);
      await Promise.all([unitContainers.learn(LEARN_MS), network?.start(control)]);
      void unitContainers.follow(unit, following.signal);
      await agent.start();
      address.follow(() => {
        agent.readdressed();
        network?.readdressed();
      }, following.signal);
    },
    stop: async (why) => {
      following.abort();
      await agent.stop(why);
      await network?.stop();
      unit.close();
      keeper.close();
    },
  };
}

/** Processes, units and containers together never take what is kept for the host. */
function reserveForHost(cgroups: CgroupTree, allocatable: Reserve, log: Log): void {
  if (cgroups.problem() !== undefined) return;
  try {
    cgroups.reserve(allocatable);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    log.warn("nothing is kept back for the host", { why: error.message });
  }
}

function nodeNameOf({ nodeName }: Settings): string {
  return nodeName ?? hostname().toLowerCase();
}

interface Parts {
  readonly network: NetworkSide | undefined;
  readonly cgroups: CgroupTree;
  readonly engine: Engine;
  readonly unit: UnitDriver;
}

function buildDrivers(
  { settings, instance, keeper, clock, log }: NodeSideOptions,
  { cgroups, engine, unit, network: side }: Parts,
): ReadonlyMap<DriverName, Driver> {
  const { networkName, podRange, cgroupRoot, stateDir } = settings;
  const guard = (paths: readonly string[], forMs: number) => keeper.guard("docker", paths, forMs);
  const network = {
    name: networkName,
    subnet: side ? () => side.addresses.range : (podRange ?? LONE_POD_RANGE),
    isMasqueraded: side?.isRouted !== true,
    clash: async (subnet: string) => {
      const words = await hostClash(subnet, deviceName(networkName));
      return words && `${words} (--pod-range CIDR), or take that away`;
    },
  };
  return new Map<DriverName, Driver>([
    ["docker", new DockerDriver({ ...{ engine, instance, clock, log, network, cgroupRoot }, guard })],
    ["process", new ProcessDriver({ keeper, tree: cgroups, dataDir: foldersOf(stateDir).processes })],
    ["unit", unit],
  ]);
}

function buildUnitDriver(
  { settings, keeper, dockerHost, clock, random, log }: NodeSideOptions,
  cgroups: CgroupTree,
  containers: UnitContainers,
): UnitDriver {
  const stateDir = foldersOf(settings.stateDir).units;
  return new UnitDriver({ keeper, cgroups, stateDir, clock, random, log, dockerHost, ...containers.forDriver });
}

/** Longer no start waits for what the engine says of its cgroups: it is asked again when it answers. */
const LEARN_MS = 1_000;
