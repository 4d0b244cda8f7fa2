/** Keeps the chains of rules.ts in iptables: what is there is left, so that a look costs little and cuts nothing. */
import { CommandError, type Commands } from "../../seams/commands.ts";
import { HostNetError } from "./host-net.ts";
import { type Chain, isWritten, jumpPosition, restoreText, type Table } from "./rules.ts";

/** Others write, too: Docker, firewalld. */
const WAIT = ["-w", "5"];

const DOCKER_GONE =
  "somebody took Docker's own rules away: published ports are not reached, and containers that publish some do not start; " +
  "systemctl restart docker makes them anew (with live-restore nothing stops)";

/** Rules by chain, as `iptables -S` shows a table. */
type Shown = ReadonlyMap<string, readonly string[]>;

export class PodFirewall {
  readonly #commands: Commands;
  #hadDocker = false;
  /** What Docker made beside ours is gone, in words: it does not look, and nobody but it makes it anew. */
  dockerTrouble: string | undefined;

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

  /** All of one table. Rejects with HostNetError. */
  async ensure(table: Table, chains: readonly Chain[]): Promise<void> {
    const shown = await this.#show(table);
    if (table === "nat") this.#lookAtDocker(shown);
    for (const chain of chains) {
      if (!isWritten(chain, shown.get(chain.name) ?? [])) await this.#write(chain);
      await this.#lead(chain, shown);
    }
  }

  /** What is not there is gone. */
  async remove(table: Table, chains: readonly Chain[]): Promise<void> {
    const shown = await this.#show(table);
    for (const { name, from } of chains) {
      for (const parent of from) await this.#unlead(table, parent, name, shown);
      if (!shown.has(name)) continue;
      await this.#run(table, ["-F", name]);
      await this.#run(table, ["-X", name]);
    }
  }

  /** Docker may have been told to make none (`"iptables": false`): what was never seen is not missed. */
  #lookAtDocker(nat: Shown): void {
    const isThere = nat.has("DOCKER") && nat.get("PREROUTING")?.some((rule) => rule.endsWith("-j DOCKER")) === true;
    this.#hadDocker ||= isThere;
    this.dockerTrouble = this.#hadDocker && !isThere ? DOCKER_GONE : undefined;
  }

  async #write(chain: Chain): Promise<void> {
    const input = restoreText(chain);
    const { exitCode, stderr } = await this.#commands.run("iptables-restore", [...WAIT, "--noflush"], { input });
    if (exitCode !== 0) throw new HostNetError(`iptables-restore (${chain.name}): ${firstLine(stderr)}`);
  }

  /** One jump, from the first of the parents that there is. */
  async #lead({ table, name, from, isLast }: Chain, shown: Shown): Promise<void> {
    const [parent, ...others] = from.filter((one) => shown.has(one));
    for (const other of others) await this.#unlead(table, other, name, shown);
    const rules = shown.get(parent ?? "");
    if (parent === undefined || rules === undefined || rules.includes(`-j ${name}`)) return;
    const where = isLast ? ["-A", parent] : ["-I", parent, String(jumpPosition(parent, rules))];
    await this.#run(table, [...where, "-j", name]);
  }

  async #unlead(table: Table, parent: string, name: string, shown: Shown): Promise<void> {
    const jumps = (shown.get(parent) ?? []).filter((rule) => rule === `-j ${name}`).length;
    for (let n = 0; n < jumps; n++) await this.#run(table, ["-D", parent, "-j", name]);
  }

  async #show(table: Table): Promise<Shown> {
    const { exitCode, stdout, stderr } = await this.#commands.run("iptables", [...WAIT, "-t", table, "-S"]);
    if (exitCode !== 0) throw new HostNetError(`iptables -t ${table} -S: ${firstLine(stderr)}`);
    const chains = new Map<string, string[]>();
    for (const line of stdout.split("\n")) {
      const [, what, name = "", rule = ""] = /^-([PNA]) (\S+) ?(.*)$/.exec(line) ?? [];
      if (what === "A") chains.get(name)?.push(rule);
      else if (what !== undefined) chains.set(name, []);
    }
    return chains;
  }

  async #run(table: Table, args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await this.#commands.run("iptables", [...WAIT, "-t", table, ...args]);
    if (exitCode !== 0) throw new HostNetError(`iptables -t ${table} ${args.join(" ")}: ${firstLine(stderr)}`);
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
