/** This host's network as `ip` and `bridge` show it, and written through them: many lines in one process. */
import type { CommandResult, Commands } from "../../seams/commands.ts";
import { type ForeignRoute, foreignRoutes, type RouteRow } from "./foreign-routes.ts";
import type { NetNames } from "./names.ts";
import type { HostWay } from "./plan.ts";
import { type Refusal, refusalWords } from "./refusals.ts";
import type { Lines, Present, Route } from "./routes.ts";

/** What the host did not take, in its own words. */
export class HostNetError extends Error {
  override readonly name = "HostNetError";
}

export interface TunnelDevice {
  readonly mtu: number;
  readonly mac: string;
  readonly isUp: boolean;
  readonly vni?: number;
  readonly local?: string;
  readonly port?: number;
}

interface LinkRow {
  readonly mtu: number;
  readonly address: string;
  readonly flags: readonly string[];
  readonly linkinfo?: {
    readonly info_data?: { readonly id?: number; readonly local?: string; readonly port?: number };
  };
}

interface AddressRow {
  readonly ifname: string;
  readonly mtu: number;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
}

export interface HostDevice {
  /** The kernel gives none twice. */
  readonly index: number;
  readonly isUp: boolean;
  /** IPv4. */
  readonly addresses: readonly string[];
}

interface DeviceRow {
  readonly ifindex: number;
  readonly flags: readonly string[];
  readonly addr_info: readonly { readonly family: string; readonly local: string }[];
}

/** A lost device in one of many lines must not keep the others from being done. */
const BATCH = ["-force", "-batch", "-"];

export class HostNet {
  readonly #commands: Commands;
  readonly #names: NetNames;

  constructor(commands: Commands, names: NetNames) {
    this.#commands = commands;
    this.#names = names;
  }

  /** How other hosts are reached; hosts to which no route leads are left out. */
  async ways(addresses: readonly string[]): Promise<ReadonlyMap<string, HostWay>> {
    if (addresses.length === 0) return new Map();
    const input = addresses.map((address) => `route get ${address}\n`).join("");
    const { stdout } = await this.#commands.run("ip", ["-j", ...BATCH], { input });
    const mtus = new Map((await this.addresses()).map(({ ifname, mtu }) => [ifname, mtu]));
    const rows = stdout.split("\n").flatMap((line) => rowsOf<Route & { dev?: string }>(line));
    return new Map(
      rows.flatMap(({ dst, gateway, dev, type }) => {
        // Of this host itself, of all on a link: no host is there.
        if (dev === undefined || type !== undefined) return [];
        return [[dst, { device: dev, isOnLink: gateway === undefined, mtu: mtus.get(dev) ?? 1500 }] as const];
      }),
    );
  }

  /** Devices that are up and have an IPv4 address. */
  async addresses(): Promise<readonly AddressRow[]> {
    return rowsOf<AddressRow>((await this.#must("ip", ["-j", "-4", "addr", "show", "up"])).stdout);
  }

  /** Undefined: there is none of that name. */
  async device(name: string): Promise<HostDevice | undefined> {
    const { exitCode, stdout } = await this.#commands.run("ip", ["-j", "addr", "show", "dev", name]);
    const [row] = exitCode === 0 ? rowsOf<DeviceRow>(stdout) : [];
    if (row === undefined) return undefined;
    const addresses = row.addr_info.flatMap(({ family, local }) => (family === "inet" ? local : []));
    return { index: row.ifindex, isUp: row.flags.includes("UP"), addresses };
  }

  /** What this host reaches besides pods. `own`: its pods' range. */
  async foreignRoutes(own: string): Promise<readonly ForeignRoute[]> {
    const { stdout } = await this.#must("ip", ["-j", "-4", "route", "show"]);
    return foreignRoutes(rowsOf<RouteRow>(stdout), this.#names, own);
  }

  async present(): Promise<Present> {
    const { protocol, vxlan } = this.#names;
    const routes = await this.#must("ip", ["-j", "-4", "route", "show", "proto", protocol]);
    // Without the device there is nothing of it.
    const neighbours = await this.#commands.run("ip", ["-j", "-4", "neigh", "show", "dev", vxlan, "nud", "permanent"]);
    const forwarding = await this.#commands.run("bridge", ["-j", "fdb", "show", "dev", vxlan]);
    return {
      routes: rowsOf(routes.stdout),
      neighbours: neighbours.exitCode === 0 ? rowsOf(neighbours.stdout) : [],
      forwarding: forwarding.exitCode === 0 ? rowsOf(forwarding.stdout) : [],
    };
  }

  /** Writes what differs. Rejects with HostNetError, after all of the others were written. */
  async write(lines: Lines): Promise<void> {
    const failed = await this.attempt(lines);
    if (failed.length > 0) throw new HostNetError(refusalWords(failed));
  }

  /** Writes what differs; resolves with what the host did not take of it. */
  async attempt({ ip, bridge }: Lines): Promise<readonly Refusal[]> {
    return [...(await this.#batch("ip", ip)), ...(await this.#batch("bridge", bridge))];
  }

  async tunnel(device: string): Promise<TunnelDevice | undefined> {
    const shown = await this.#commands.run("ip", ["-j", "-d", "link", "show", "dev", device]);
    const row = shown.exitCode === 0 ? rowsOf<LinkRow>(shown.stdout)[0] : undefined;
    if (!row) return undefined;
    const { id, local, port } = row.linkinfo?.info_data ?? {};
    return {
      ...{ mtu: row.mtu, mac: row.address, isUp: row.flags.includes("UP") },
      ...(id === undefined ? {} : { vni: id }),
      ...(local === undefined ? {} : { local }),
      ...(port === undefined ? {} : { port }),
    };
  }

  async ip(...args: readonly string[]): Promise<void> {
    await this.#must("ip", args);
  }

  async removeDevice(device: string): Promise<void> {
    const { exitCode, stderr } = await this.#commands.run("ip", ["link", "del", device]);
    if (exitCode !== 0 && !/Cannot find device/.test(stderr)) throw new HostNetError(firstLine(stderr));
  }

  async #batch(program: string, lines: readonly string[]): Promise<readonly Refusal[]> {
    if (lines.length === 0) return [];
    const { exitCode, stderr } = await this.#commands.run(program, BATCH, { input: `${lines.join("\n")}\n` });
    return exitCode === 0 ? [] : refusalsOf(program, lines, stderr);
  }

  async #must(program: string, args: readonly string[]): Promise<CommandResult> {
    const result = await this.#commands.run(program, args);
    if (result.exitCode !== 0) throw new HostNetError(`${program} ${args.join(" ")}: ${firstLine(result.stderr)}`);
    return result;
  }
}

/** `RTNETLINK answers: …` and then `Command failed -:2`, one pair for each line that failed. */
function refusalsOf(program: string, lines: readonly string[], stderr: string): readonly Refusal[] {
  const pairs = [...stderr.matchAll(/([\s\S]*?)Command failed -:(\d+)/g)];
  const failed = pairs.map(([, words = "", at]) => ({
    line: `${program} ${lines[Number(at) - 1] ?? lines[0]}`,
    words: firstLine(words),
  }));
  return failed.length > 0 ? failed : [{ line: `${program} ${lines[0]}`, words: firstLine(stderr) }];
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

/** An empty answer is none; iproute2 prints nothing at all, or an array. */
function rowsOf<T>(text: string): readonly T[] {
  return text.trim() === ""
    ? []
    : (JSON.parse(text) as readonly T[]).filter((row) => Object.keys(row as object).length > 0);
}
