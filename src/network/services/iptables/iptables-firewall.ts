/** Services in iptables, where nft is missing: the same plan, as chains with jumps that the kernel tries one after the other. */
import type { Commands } from "../../../seams/commands.ts";
import type { BasePlan, Firewall } from "../firewall.ts";
import type { ServicePlan } from "../plan-service.ts";
import { type Difference, type Piece, type Programmed, Ruleset } from "../ruleset.ts";
import { parseSaved } from "./parse-saved.ts";
import { basePieceOf, HOOKS } from "./render-base.ts";
import { servicePieceOf } from "./render-service.ts";
import { restoreInput } from "./restore-input.ts";
import { shortName } from "./short-name.ts";

const TABLES = ["nat", "filter"] as const;

export class IptablesFirewall implements Firewall {
  readonly name = "iptables";
  readonly forgetsUnanswered = false;
  readonly #commands: Commands;
  readonly #short: string;

  constructor(commands: Commands, networkName: string) {
    this.#commands = commands;
    this.#short = shortName(networkName);
  }

  base(plan: BasePlan): Piece {
    return basePieceOf(plan, this.#short);
  }

  service(plan: ServicePlan, base: BasePlan): Piece {
    return servicePieceOf(plan, base, this.#short);
  }

  async read(): Promise<Programmed> {
    const texts = await Promise.all(TABLES.map((table) => this.#save(table)));
    return parseSaved(texts.join("\n"), this.#short);
  }

  async apply(difference: Difference): Promise<void> {
    await this.#restore(restoreInput(difference));
  }

  /** `iptables -F` empties every chain; Docker, when it starts, puts its own jumps before ours. */
  async isIntact(): Promise<boolean> {
    const texts = await Promise.all(TABLES.map((table) => this.#save(table)));
    const { elements, chains } = parseSaved(texts.join("\n"), this.#short);
    const isHooked = HOOKS.every(
      ({ table, chain, to }) => elements.get(`${table}/${chain} `) === `${this.#short}${to}`,
    );
    return isHooked && HOOKS.every(({ table, to }) => !chains.get(`${table}/${this.#short}${to}`)?.endsWith("/0"));
  }

  async remove(): Promise<void> {
    const programmed = await this.read();
    if (programmed.chains.size > 0) await this.apply(new Ruleset().difference(programmed, true));
  }

  async #save(table: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#commands.run("iptables-save", ["-t", table]);
    if (exitCode !== 0) throw new Error(`iptables-save: ${stderr.trim().split("\n")[0] ?? exitCode}`);
    return `*${table}\n${stdout}`;
  }

  async #restore(input: string): Promise<void> {
    const args = ["--noflush", "--wait", "5"];
    const { exitCode, stderr } = await this.#commands.run("iptables-restore", args, { input, timeoutMs: 30_000 });
    if (exitCode !== 0) throw new Error(`iptables-restore: ${stderr.trim().split("\n")[0] ?? exitCode}`);
  }
}
