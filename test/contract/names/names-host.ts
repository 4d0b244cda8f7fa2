/** A host that is a network namespace, with our server of names on its bridge, pods that ask it, and a resolver of the outside world. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkEntry, NetworkNews } from "../../../src/model/network.ts";
import { NamesPart } from "../../../src/network/names/names-part.ts";
import type { NamesConfig } from "../../../src/network/names/resident/config.ts";
import { NetworkState } from "../../../src/network/plane/network-state.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { type NetPlace, openNetSpace } from "../../harness/net-space.ts";

export const clock = new SystemClock();

export interface NamesHost {
  readonly folder: string;
  readonly pod: NetPlace;
  readonly otherPod: NetPlace;
  readonly gateway: string;
  readonly podRange: string;
  readonly hostAddress: string;
  readonly upstream: NetPlace;
  readonly upstreamLog: () => string;
  part: NamesPart;
  /** Another agent on the same folder, as after a restart. */
  again(config?: Partial<NamesConfig>): NamesPart;
  tell(entries: readonly NetworkEntry[], removed?: Extract<NetworkNews, { type: "changed" }>["removed"]): Promise<void>;
  tellAll(): Promise<void>;
  readonly state: NetworkState;
  onHost(program: string, args: readonly string[]): string;
  spawnOnHost(name: string, argv: readonly string[]): ChildProcess;
  dig(...words: readonly string[]): string;
  close(): Promise<void>;
}

/** With a cluster, this node `n1`, and what `entries` adds. */
export async function openNamesHost(config: Partial<NamesConfig> = {}): Promise<NamesHost> {
  const space = openNetSpace({ hosts: 2 });
  const [host, upstream] = [space.host(1), space.host(2)];
  const folder = join(space.dir, "names");
  mkdirSync(folder, { recursive: true });
  const resolvConf = join(space.dir, "resolv.conf");
  writeFileSync(resolvConf, `search corp.example\nnameserver ${host.gateway}\nnameserver ${upstream.address}\n`);
  const program = new URL("./upstream.ts", import.meta.url).pathname;
  upstream.spawn("upstream", [process.execPath, "--disable-warning=ExperimentalWarning", program, upstream.address]);
  const state = new NetworkState("n1");
  const pod = host.addPod(5);
  const make = (more: Partial<NamesConfig> = {}) =>
    new NamesPart({ folder, clock, log: silentLog, config: { resolvConf, ...config, ...more }, launcher: host.enter });
  const it: NamesHost = {
    ...{
      folder,
      pod,
      otherPod: host.addPod(6),
      gateway: host.gateway,
      podRange: host.podRange,
      hostAddress: host.address,
      upstream,
      state,
    },
    upstreamLog: () => readFileSync(join(space.dir, "upstream.log"), "utf8"),
    part: make(),
    again: (more) => make(more),
    tell: async (entries, removed = []) => {
      const touched = new Touched();
      state.hear({ type: "changed", revision: 1, entries, removed }, touched);
      await it.part.apply(state, touched);
    },
    tellAll: async () => {
      const touched = new Touched();
      touched.everything();
      await it.part.apply(state, touched);
    },
    onHost: (program, args) => host.run(program, args).output,
    spawnOnHost: (name, argv) => host.spawn(name, argv),
    dig: (...words) => pod.run("dig", [`@${host.gateway}`, "+tries=1", "+time=6", ...words]).output,
    close: async () => {
      await it.part.remove();
      space.close();
    },
  };
  await it.tell([
    {
      kind: "cluster",
      id: "cluster",
      podRange: host.podRange,
      serviceRange: "10.96.0.0/12",
      domain: "cluster.local",
      mode: "auto",
    },
    { kind: "node", id: "n1", address: host.address, podRange: host.podRange },
  ]);
  return it;
}
