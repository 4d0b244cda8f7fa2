/** Services in nftables: the difference as one transaction, and what is in the kernel read back. */
import type { Commands } from "../../../seams/commands.ts";
import { addTable, readNft, removeFromTable, runNft, tableName, whyRefused } from "../../nft/table.ts";
import type { BasePlan, Firewall } from "../firewall.ts";
import { commentOf } from "../names.ts";
import type { ServicePlan } from "../plan-service.ts";
import { type Difference, emptyProgrammed, type Piece, type Programmed } from "../ruleset.ts";
import { parseTable } from "./parse-table.ts";
import { basePiece } from "./render-base.ts";
import { servicePiece } from "./render-service.ts";
import { UNANSWERED, UNANSWERED_DEFINITION } from "./unanswered.ts";

const PREFIX = "svc-";

export class NftFirewall implements Firewall {
  readonly name = "nftables";
  readonly forgetsUnanswered: boolean;
  readonly #commands: Commands;
  readonly #networkName: string;

  constructor(commands: Commands, networkName: string, forgetsUnanswered = true) {
    this.#commands = commands;
    this.#networkName = networkName;
    this.forgetsUnanswered = forgetsUnanswered;
  }

  base(plan: BasePlan): Piece {
    return basePiece(plan, this.forgetsUnanswered);
  }

  service(plan: ServicePlan, base: BasePlan): Piece {
    return servicePiece(plan, base, this.forgetsUnanswered);
  }

  async read(): Promise<Programmed> {
    const text = await readNft(this.#commands, ["list", "table", "ip", tableName(this.#networkName)]);
    return text === undefined ? emptyProgrammed() : parseTable(text, PREFIX);
  }

  async apply(difference: Difference): Promise<void> {
    await runNft(this.#commands, addTable(this.#networkName) + transaction(difference, tableName(this.#networkName)));
  }

  /** Whoever flushes everything, or this table, flushes this chain. */
  async isIntact(): Promise<boolean> {
    const args = ["list", "chain", "ip", tableName(this.#networkName), "svc-services"];
    const text = await readNft(this.#commands, args);
    return text?.includes("@svc-addresses") === true && text.includes("@svc-node-ports");
  }

  async remove(): Promise<void> {
    await removeFromTable(this.#commands, this.#networkName, PREFIX);
  }
}

/** What this host's nft and kernel say to the rule that forgets first packets without an answer; undefined: they have it. */
export function whyNoForgetting(commands: Commands): Promise<string | undefined> {
  const table = "styrmann-look";
  const definition = UNANSWERED_DEFINITION.replace("ct timeout", `ct timeout ip ${table} ${UNANSWERED}`);
  return whyRefused(commands, `add table ip ${table}\nadd ${definition}\n`);
}

/** Sets before the rules that name them, chains before the elements that lead there; taken away in the other order. */
export function transaction(difference: Difference, table: string): string {
  const { newSets, chains, goneElements, newElements, goneChains, goneSets } = difference;
  const lines: string[] = [];
  for (const [name, definition] of newSets) {
    const [, kind = "", body = ""] = /^([a-z ]+) (\{.*)$/.exec(definition) ?? [];
    lines.push(`add ${kind} ip ${table} ${name} ${body}`);
  }
  for (const { name, chain, isNew } of chains) {
    if (isNew) lines.push(`add chain ip ${table} ${name}${chain.hook === undefined ? "" : ` { ${chain.hook} }`}`);
    // Also of a new one: an agent that is about to end may have made it meanwhile.
    lines.push(`flush chain ip ${table} ${name}`);
  }
  for (const { name, chain } of chains)
    for (const [at, rule] of chain.rules.entries())
      lines.push(`add rule ip ${table} ${name} ${rule}${at === 0 ? ` comment "${commentOf(chain)}"` : ""}`);
  for (const { container, key, value } of goneElements)
    lines.push(`delete element ip ${table} ${container} { ${key}${value === "" ? "" : ` : goto ${value}`} }`);
  for (const { container, key, value, title } of newElements)
    lines.push(
      `add element ip ${table} ${container} { ${key} comment "${title}"${value === "" ? "" : ` : goto ${value}`} }`,
    );
  for (const name of goneChains) lines.push(`flush chain ip ${table} ${name}`);
  for (const name of goneChains) lines.push(`delete chain ip ${table} ${name}`);
  for (const name of goneSets) lines.push(`delete ${name === UNANSWERED ? "ct timeout" : "set"} ip ${table} ${name}`);
  return lines.map((line) => `${line}\n`).join("");
}
