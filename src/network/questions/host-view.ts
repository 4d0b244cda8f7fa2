/** What the host itself says when it is asked: its rules, its routes, its sockets. */
import type { Commands } from "../../seams/commands.ts";
import { CommandError } from "../../seams/commands.ts";
import { readNft } from "../nft/table.ts";

export interface HostViewOptions {
  readonly commands: Commands;
  /** nftables' table of this network. */
  readonly table: string;
  /** Opens and closes a connection; rejects in words. */
  readonly connect: (address: string, port: number, timeoutMs: number) => Promise<void>;
  /** Addresses that a name server gives; none: there is no such name. Rejects in words when it does not answer. */
  readonly lookUp: (server: string, name: string, timeoutMs: number) => Promise<readonly string[]>;
}

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

  async listens(address: string, port: number): Promise<Listening> {
    try {
      await this.#options.connect(address, port, 1_000);
      return { isOpen: true };
    } catch (error) {
      return { isOpen: false, words: (error as Error).message };
    }
  }
}
