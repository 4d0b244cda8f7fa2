/** Keeps the chains of rules.ts in iptables: what is there is left, so that a look costs little and cuts nothing. */
import { CommandError, type Commands } from "../../seams/commands.ts";
import { HostNetError } from "./host-net.ts";
import { type Chain, isLed, isWritten, jumpPosition, restoreText, type Table } from "./rules.ts";
import { reachedChains, readTable, type ShownTable } from "./shown-table.ts";

/** Others write, too: Docker, firewalld. */
const WAIT = ["-w", "5"];

export class PodFirewall {
  readonly #commands: Commands;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  /** Why there is none, in words: no program, or not allowed. */
  async whyNone(): Promise<string | undefined> {
    try {
      const { exitCode, stderr } = await this.#commands.run("iptables", [...WAIT, "-t", "nat", "-S", "POSTROUTING"]);
      return exitCode === 0 ? undefined : firstLine(stderr);
    } catch (error) {
      if (error instanceof CommandError) return error.message;
      throw error;
    }
  }

  /** All of one table, and what leads to it; resolves with what was there before. Rejects with HostNetError. */
  async ensure(table: Table, chains: (before: ShownTable) => readonly Chain[]): Promise<ShownTable> {
    const shown = await this.show(table);
    for (const chain of chains(shown)) {
      if (!isWritten(chain, shown.chains.get(chain.name) ?? [])) await this.#write(chain);
      await this.#lead(chain, shown);
    }
    return shown;
  }

  /** What is not there is gone. */
  async remove(table: Table, chains: readonly Chain[]): Promise<void> {
    const shown = await this.show(table);
    for (const { name, from } of chains) {
      for (const parent of from) await this.#unlead(table, parent, name, shown);
      if (!shown.chains.has(name)) continue;
      await this.#run(table, ["-F", name]);
      await this.#run(table, ["-X", name]);
    }
  }

  async #write(chain: Chain): Promise<void> {
    const input = restoreText(chain);
    const { exitCode, stderr } = await this.#commands.run("iptables-restore", [...WAIT, "--noflush"], { input });
    if (exitCode !== 0) throw new HostNetError(`iptables-restore (${chain.name}): ${firstLine(stderr)}`);
  }

  /** One jump, from the first of the parents to which packets come; it is there before another goes. */
  async #lead(chain: Chain, shown: ShownTable): Promise<void> {
    const { table, name, from, isLast } = chain;
    const reached = reachedChains(shown);
    const parent = from.find((one) => reached.has(one));
    if (parent === undefined) return;
    const rules = shown.chains.get(parent) ?? [];
    if (!isLed(chain, rules)) {
      await this.#unlead(table, parent, name, shown);
      const left = rules.filter((rule) => rule !== `-j ${name}`);
      await this.#run(table, ["-I", parent, String(jumpPosition(parent, left, isLast)), "-j", name]);
    }
    for (const other of from) if (other !== parent) await this.#unlead(table, other, name, shown);
  }

  async #unlead(table: Table, parent: string, name: string, { chains }: ShownTable): Promise<void> {
    const jumps = (chains.get(parent) ?? []).filter((rule) => rule === `-j ${name}`).length;
    for (let n = 0; n < jumps; n++) await this.#run(table, ["-D", parent, "-j", name]);
  }

  /** As it is. Rejects with HostNetError. */
  async show(table: Table): Promise<ShownTable> {
    const { exitCode, stdout, stderr } = await this.#commands.run("iptables", [...WAIT, "-t", table, "-S"]);
    if (exitCode !== 0) throw new HostNetError(`iptables -t ${table} -S: ${firstLine(stderr)}`);
    return readTable(stdout);
  }

  async #run(table: Table, args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await this.#commands.run("iptables", [...WAIT, "-t", table, ...args]);
    if (exitCode !== 0) throw new HostNetError(`iptables -t ${table} ${args.join(" ")}: ${firstLine(stderr)}`);
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
