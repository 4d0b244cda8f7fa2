/**
 * Hosts and pods that are nothing but network namespaces, for tests of routes, rules and names: no engine, no container, a tenth of a
 * second to make. Everything goes when the test is done, fails or is killed.
 *
 *     const space = openNetSpace({ hosts: 2 });
 *     space.host(1).commands                  a Commands whose programs run on host 1
 *     const pod = space.host(1).addPod(5);    10.x.y.5 behind host 1's bridge `pods`
 *     pod.spawn("answer", ["busybox", "nc", …]);  pod.run("busybox", ["wget", …])
 *     space.close();
 *
 * Host n has `eth0` on a link that all share (`address`), and a bridge `pods` with the first address of `podRange`. It forwards.
 */
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawnSync } from "node:child_process";
import { basename } from "node:path";
import { type CommandOptions, type CommandResult, type Commands, SystemCommands } from "../../src/seams/commands.ts";
import { takeAddressBlock } from "./address-block.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";

export interface NetPlace {
  readonly netns: string;
  readonly address: string;
  /** Words to put before a command that is to run there. */
  readonly enter: readonly string[];
  readonly commands: Commands;
  /** Runs to its end. */
  run(program: string, args: readonly string[], input?: string): { readonly exitCode: number; readonly output: string };
  /** Goes on until the space is closed; what it says is in `<name>.log` of the space's folder. */
  spawn(name: string, argv: readonly string[]): ChildProcess;
}

export interface NetHost extends NetPlace {
  readonly podRange: string;
  readonly gateway: string;
  readonly bridge: string;
  /** `last`: the last number of its address. */
  addPod(last: number): NetPlace;
}

export interface NetSpace {
  readonly dir: string;
  host(n: number): NetHost;
  close(): void;
}

/** At most 3 hosts and 12 pods. `isApart`: each host is on a link of its own, and a router is between them. */
export function openNetSpace({
  hosts,
  isApart = false,
}: {
  readonly hosts: number;
  readonly isApart?: boolean;
}): NetSpace {
  const block = takeAddressBlock();
  const sandbox = makeSandbox("space", (dir) => {
    const id = idOf(dir);
    const pods = Array.from({ length: 12 }, (_, n) => `${id}p${n + 1}`);
    const places = Array.from({ length: hosts }, (_, n) => `${id}h${n + 1}`);
    return { cgroups: [], block: block.prefix, netns: [`${id}sw`, ...places, ...pods] };
  });
  try {
    return lay(sandbox, block, hosts, isApart);
  } catch (error) {
    sandbox.stop();
    throw error;
  }
}

function idOf(dir: string): string {
  return `st${basename(dir).slice(-6)}`;
}

function lay(sandbox: Sandbox, block: ReturnType<typeof takeAddressBlock>, count: number, isApart: boolean): NetSpace {
  const id = idOf(sandbox.dir);
  const sw = `${id}sw`;
  ip("netns", "add", sw);
  ip("-n", sw, "link", "set", "lo", "up");
  ip("-n", sw, "link", "add", "br0", "type", "bridge");
  ip("-n", sw, "link", "set", "br0", "up");
  if (isApart) inside(sw, "sysctl", ["-qw", "net.ipv4.ip_forward=1"]);
  let pods = 0;
  const hosts = Array.from({ length: count }, (_, at): NetHost => {
    const n = at + 1;
    const netns = `${id}h${n}`;
    ip("netns", "add", netns);
    ip("-n", netns, "link", "set", "lo", "up");
    ip("-n", sw, "link", "add", `p${n}`, "type", "veth", "peer", "name", "eth0", "netns", netns);
    ip("-n", sw, "link", "set", `p${n}`, "up");
    // Apart: a /28 of the link's range for each, with the router's address at its end.
    const address = isApart ? block.address(0, 16 * n + 1) : block.address(0, n);
    ip("-n", netns, "addr", "add", `${address}/${isApart ? 28 : 24}`, "dev", "eth0");
    ip("-n", netns, "link", "set", "eth0", "up");
    if (isApart) {
      const router = block.address(0, 16 * n + 14);
      ip("-n", sw, "addr", "add", `${router}/28`, "dev", `p${n}`);
      ip("-n", netns, "route", "add", "default", "via", router);
    } else ip("-n", sw, "link", "set", `p${n}`, "master", "br0");
    inside(netns, "sysctl", ["-qw", "net.ipv4.ip_forward=1"]);
    const gateway = block.address(n, 1);
    ip("-n", netns, "link", "add", "pods", "type", "bridge");
    ip("-n", netns, "addr", "add", `${gateway}/24`, "dev", "pods");
    ip("-n", netns, "link", "set", "pods", "up");
    const addPod = (last: number): NetPlace => {
      const podNs = `${id}p${++pods}`;
      const podAddress = block.address(n, last);
      ip("netns", "add", podNs);
      ip("-n", podNs, "link", "set", "lo", "up");
      ip("-n", netns, "link", "add", `v${last}`, "type", "veth", "peer", "name", "eth0", "netns", podNs);
      ip("-n", netns, "link", "set", `v${last}`, "master", "pods", "up");
      ip("-n", podNs, "addr", "add", `${podAddress}/24`, "dev", "eth0");
      ip("-n", podNs, "link", "set", "eth0", "up");
      ip("-n", podNs, "route", "add", "default", "via", gateway);
      return place(sandbox, podNs, podAddress);
    };
    return { ...place(sandbox, netns, address), podRange: block.subnet(n), gateway, bridge: "pods", addPod };
  });
  return {
    dir: sandbox.dir,
    host: (n) => {
      const found = hosts[n - 1];
      if (!found) throw new Error(`the space has no host ${n}`);
      return found;
    },
    close: () => sandbox.stop(),
  };
}

function place(sandbox: Sandbox, netns: string, address: string): NetPlace {
  const enter = ["nsenter", `--net=/run/netns/${netns}`, "--"];
  return {
    ...{ netns, address, enter },
    commands: new CommandsThere(enter),
    run: (program, args, input) => inside(netns, program, args, input),
    spawn: (name, argv) => sandbox.spawn(name, [...enter, ...argv]),
  };
}

class CommandsThere implements Commands {
  readonly #enter: readonly string[];
  readonly #commands = new SystemCommands();

  constructor(enter: readonly string[]) {
    this.#enter = enter;
  }

  run(program: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    const [first = "", ...words] = this.#enter;
    return this.#commands.run(first, [...words, program, ...args], options);
  }
}

function inside(netns: string, program: string, args: readonly string[], input?: string) {
  const words = [`--net=/run/netns/${netns}`, "--", program, ...args];
  const { status, stdout, stderr } = spawnSync("nsenter", words, {
    encoding: "utf8",
    timeout: 20_000,
    ...(input === undefined ? {} : { input }),
  });
  return { exitCode: status ?? -1, output: `${stdout}${stderr}` };
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
