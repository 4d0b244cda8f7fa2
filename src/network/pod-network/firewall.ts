/** Keeps the chains of rules.ts in iptables: what is there is left, so that a look costs little and cuts nothing. */
import { CommandError, type Commands } from "../../seams/commands.ts";
import { HostNetError } from "./host-net.ts";
import { type Chain, isWritten, jumpPosition, restoreText, type Table } from "./rules.ts";

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

  /** Rejects with HostNetError. */
  async ensure(chain: Chain): Promise<void> {
    if (!isWritten(chain, (await this.#show(chain.table, chain.name)) ?? "")) await this.#write(chain);
    await this.#lead(chain);
  }

  async remove({ table, name, from }: Chain): Promise<void> {
    for (const parent of from) await this.#unlead(table, parent, name);
    if ((await this.#show(table, name)) === undefined) return;
    await this.#run(table, ["-F", name]);
    await this.#run(table, ["-X", name]);
  }

  async #write(chain: Chain): Promise<void> {
    const input = restoreText(chain);
    const { exitCode, stderr } = await this.#commands.run("iptables-restore", [...WAIT, "--noflush"], { input });
    if (exitCode !== 0) throw new HostNetError(`iptables-restore (${chain.name}): ${firstLine(stderr)}`);
  }

  /** One jump, from the first of the parents that there is. */
  async #lead({ table, name, from, isLast }: Chain): Promise<void> {
    let isLed = false;
    for (const parent of from) {
      if (isLed) await this.#unlead(table, parent, name);
      const shown = await this.#show(table, parent);
      if (isLed || shown === undefined) continue;
      isLed = true;
      const jumps = shown.split("\n").filter((line) => line === `-A ${parent} -j ${name}`).length;
      const where = isLast ? ["-A", parent] : ["-I", parent, String(jumpPosition(parent, shown))];
      if (jumps === 0) await this.#run(table, [...where, "-j", name]);
    }
  }

  async #unlead(table: Table, parent: string, name: string): Promise<void> {
    const shown = await this.#show(table, parent);
    const jumps = (shown ?? "").split("\n").filter((line) => line === `-A ${parent} -j ${name}`).length;
    for (let n = 0; n < jumps; n++) await this.#run(table, ["-D", parent, "-j", name]);
  }

  /** Undefined when there is no such chain. */
  async #show(table: Table, name: string): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#commands.run("iptables", [...WAIT, "-t", table, "-S", name]);
    return exitCode === 0 ? stdout : undefined;
  }

  async #run(table: Table, args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await this.#commands.run("iptables", [...WAIT, "-t", table, ...args]);
    if (exitCode !== 0) throw new HostNetError(`iptables -t ${table} ${args.join(" ")}: ${firstLine(stderr)}`);
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
