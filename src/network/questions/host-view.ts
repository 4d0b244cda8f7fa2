/** What the host itself says when it is asked: its rules, its routes, its sockets. */
import type { Commands } from "../../seams/commands.ts";
import { CommandError } from "../../seams/commands.ts";
import { readNft } from "../nft/table.ts";
import { passageOf } from "../pod-network/passage.ts";
import { readTable } from "../pod-network/shown-table.ts";
import { type Foreign, foreignIn, routesInto } from "../services/foreign-ranges.ts";

export interface HostViewOptions {
  readonly commands: Commands;
  /** nftables' table of this network. */
  readonly table: string;
  /** The pods' bridge. Absent: what iptables does with pods' packets is not looked at. */
  readonly bridge?: string;
  /** Opens and closes a connection; rejects in words. */
  readonly connect: (address: string, port: number, timeoutMs: number) => Promise<void>;
  /** Addresses that a name server gives; none: there is no such name. Rejects in words when it does not answer. */
  readonly lookUp: (server: string, name: string, timeoutMs: number) => Promise<readonly string[]>;
}

/** A packet of a connection between a pod of this host and somebody behind that device. */
export interface PassedOn {
  readonly from: string;
  readonly to: string;
  readonly device: string;
  readonly direction: "in" | "out";
}

/** A ping that nobody may divide. */
export interface EchoAsked {
  readonly from: string;
  readonly to: string;
  /** Of the whole packet. */
  readonly bytes: number;
  /** Packets, of which one answer is enough. */
  readonly tries: number;
}

/** "told": whoever is on the way says that it is too large, so that senders send smaller ones. */
export type Echo = "answered" | "told" | "silent";

/** Of IPv4 and of ICMP. */
const ECHO_HEADERS = 28;
const ECHO_EVERY_S = "0.2";
const ECHO_ANSWER_S = "1";

export type Listening = { readonly isOpen: true } | { readonly isOpen: false; readonly words: string };

export class HostView {
  readonly #options: HostViewOptions;

  constructor(options: HostViewOptions) {
    this.#options = options;
  }

  lookUp(server: string, name: string, timeoutMs: number): Promise<readonly string[]> {
    return this.#options.lookUp(server, name, timeoutMs);
  }

  /** The line of a map or set; "absent": it is not in it; undefined: there is no nft here, or no such map. */
  async element(set: string, key: string): Promise<string | "absent" | undefined> {
    const { commands, table } = this.#options;
    try {
      const line = await readNft(commands, ["get", "element", "ip", table, set, `{ ${key} }`]);
      if (line !== undefined) return line;
      return (await readNft(commands, ["-t", "list", "table", "ip", table]))?.includes(` ${set} {`)
        ? "absent"
        : undefined;
    } catch (error) {
      if (error instanceof CommandError) return undefined;
      throw error;
    }
  }

  async chain(name: string): Promise<string | undefined> {
    return await readNft(this.#options.commands, ["list", "chain", "ip", this.#options.table, name]);
  }

  /** `via 10.0.0.2 dev eth0`; undefined: no route leads there. */
  async route(address: string): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#options.commands.run("ip", ["-4", "route", "get", address]);
    const [line = ""] = stdout.split("\n");
    const found = /\b(?:via \S+ )?dev \S+/.exec(line)?.[0];
    const isRefused = /^(?:unreachable|prohibit|blackhole)\b/.test(line);
    if (exitCode !== 0 || isRefused) return undefined;
    return line.startsWith("local ") ? "this host itself" : found;
  }

  /** What of the service range is this host's own, or reached from it by a network of its own. */
  async foreign(serviceRange: string): Promise<Foreign> {
    const { commands, bridge } = this.#options;
    const devices = bridge === undefined ? [] : [bridge];
    return foreignIn(await routesInto(commands, serviceRange), serviceRange, { devices });
  }

  /** Which rule of iptables stops it; undefined: none that can be read, or there is no iptables here. */
  async stops({ from, to, device, direction }: PassedOn): Promise<string | undefined> {
    const { commands, bridge } = this.#options;
    if (bridge === undefined) return undefined;
    const devices = direction === "in" ? { in: device, out: bridge } : { in: bridge, out: device };
    try {
      const { exitCode, stdout } = await commands.run("iptables", ["-w", "5", "-t", "filter", "-S"]);
      if (exitCode !== 0) return undefined;
      const passage = passageOf(readTable(stdout), { from, to, ...devices, state: "NEW" });
      return passage.isStopped ? passage.rule : undefined;
    } catch (error) {
      if (error instanceof CommandError) return undefined;
      throw error;
    }
  }

  /** Undefined: there is no `ping` here that asks so, or it cannot send from there. */
  async echo({ from, to, bytes, tries }: EchoAsked): Promise<Echo | undefined> {
    const sending = ["-c", String(tries), "-i", ECHO_EVERY_S, "-W", ECHO_ANSWER_S, "-I", from];
    const args = ["-n", "-M", "do", "-s", String(bytes - ECHO_HEADERS), ...sending, to];
    try {
      const { exitCode, stdout, stderr } = await this.#options.commands.run("ping", args);
      if (exitCode === 0) return "answered";
      if (/\bmtu ?= ?\d/.test(stdout + stderr)) return "told";
      return exitCode === 1 && / 0 received/.test(stdout) ? "silent" : undefined;
    } catch (error) {
      if (error instanceof CommandError) return undefined;
      throw error;
    }
  }

  /** The address that this host's own packets to that one have. */
  async source(address: string): Promise<string | undefined> {
    const { stdout } = await this.#options.commands.run("ip", ["-4", "route", "get", address]);
    return / src ([\d.]+)/.exec(stdout)?.[1];
  }

  async listens(address: string, port: number): Promise<Listening> {
    try {
      await this.#options.connect(address, port, 1_000);
      return { isOpen: true };
    } catch (error) {
      return { isOpen: false, words: (error as Error).message };
    }
  }
}
