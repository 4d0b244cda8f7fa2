/** The pod network's part on a host that is a network namespace, as an agent has it. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { NetworkEntry } from "../../../src/model/network.ts";
import { NetworkState } from "../../../src/network/plane/network-state.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import type { BridgePorts } from "../../../src/network/pod-network/bridge-guard.ts";
import { PodNetwork } from "../../../src/network/pod-network/pod-network.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { type NetHost, type NetPlace, type NetSpace, openNetSpace } from "../../harness/net-space.ts";

const DEADLINE_MS = 30_000;

export interface LaidNode {
  readonly host: NetHost;
  /** Where its agent says that it is. */
  readonly place: { address: string };
  readonly part: PodNetwork;
  tell(entries: readonly NetworkEntry[]): Promise<void>;
}

/** Says the code of a connection's error, or nothing when there is no answer. */
const KNOCK = [
  "const [, host, port, localAddress] = process.argv;",
  'const socket = require("net").connect({ host, port, localAddress });',
  'socket.on("error", ({ code }) => process.stdout.write(code)); setTimeout(() => process.exit(), 700);',
].join(" ");

/** As the agent of host `n` does it; probes are pings, which may be asked inside of a namespace. */
export function nodeOn(
  space: NetSpace,
  n: number,
  networkName = "styrmann",
  podRange?: string,
  ports?: BridgePorts,
): LaidNode {
  const host = space.host(n);
  const place = { address: host.address };
  const range = podRange ?? host.podRange;
  const clock = new SystemClock();
  const part = new PodNetwork({
    ...{ networkName, clock, log: silentLog, commands: host.commands, hostAddress: () => place.address },
    ...(podRange === undefined ? { bridge: host.bridge } : {}),
    ...(ports === undefined ? {} : { ports }),
    ...{ range: () => range, folder: `${space.dir}/${networkName}-${n}`, lookEveryMs: 500 },
    knock: async ({ to, port, from }) => {
      const { stdout } = await host.commands.run(process.execPath, ["-e", KNOCK, to, String(port), from ?? ""]);
      return stdout === "" ? undefined : stdout;
    },
    dial: async ({ to, from }) => {
      const words = ["-c", "1", "-W", "1", ...(from === undefined ? [] : ["-I", from]), to];
      const { exitCode, stdout } = await host.commands.run("ping", words);
      if (exitCode !== 0) throw new Error("no answer");
      return Number(/time=([\d.]+)/.exec(stdout)?.[1]);
    },
  });
  const state = new NetworkState(`n${n}`);
  const tell = async (entries: readonly NetworkEntry[]) => {
    const touched = new Touched();
    state.hear({ type: "all", revision: 1, entries }, touched);
    await part.apply(state, touched);
  };
  return { host, place, part, tell };
}

export interface LaidPair {
  readonly space: NetSpace;
  readonly nodes: readonly [LaidNode, LaidNode];
  readonly pods: readonly [NetPlace, NetPlace];
  close(): Promise<void>;
}

/** Two hosts that were told of each other, and a pod on each. `isApart`: behind a router. */
export async function layTwo({ isApart = false } = {}): Promise<LaidPair> {
  const space = openNetSpace({ hosts: 2, isApart });
  const nodes = [nodeOn(space, 1), nodeOn(space, 2)] as const;
  const close = async () => {
    for (const { part } of nodes) await part.stop();
    space.close();
  };
  try {
    const pods = [space.host(1).addPod(5), space.host(2).addPod(6)] as const;
    for (const node of nodes) await node.tell(entriesOf(nodes));
    return { space, nodes, pods, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The hosts' ranges are outside of the cluster's, as after --pod-range: none of these addresses is anything else here. */
export function entriesOf(
  nodes: readonly LaidNode[],
  mode: "auto" | "vxlan" | "routes" = "auto",
): readonly NetworkEntry[] {
  return [
    {
      kind: "cluster",
      id: "cluster",
      podRange: "10.42.0.0/16",
      serviceRange: "10.96.0.0/12",
      domain: "cluster.local",
      mode,
    },
    ...nodes.map(({ host, place }, at): NetworkEntry => {
      return { kind: "node", id: `n${at + 1}`, address: place.address, podRange: host.podRange, echoes: true };
    }),
  ];
}

export async function until(what: string, isSo: () => boolean): Promise<void> {
  const untilMs = performance.now() + DEADLINE_MS;
  while (!isSo()) {
    assert.ok(performance.now() < untilMs, `not in time: ${what}`);
    await delay(50);
  }
}

export const reaches = (from: NetPlace, to: NetPlace) =>
  from.run("ping", ["-c", "1", "-W", "1", to.address]).exitCode === 0;
