/** Keeps the rules of guard-script.ts in the kernel: written when they are others, or when somebody took them away. */
import type { Commands } from "../../seams/commands.ts";
import { addTable, readNft, removeFromTable, runNft, tableName, UNSEEN_RULES, whyNoNft } from "../nft/table.ts";
import { GUARD_PREFIX, type GuardWish, guardScript, MARKED_CHAIN } from "./guard-script.ts";
import type { NetNames } from "./names.ts";

export class PacketGuard {
  readonly #commands: Commands;
  readonly #networkName: string;
  readonly #names: NetNames;

  constructor(commands: Commands, networkName: string, names: NetNames) {
    this.#commands = commands;
    this.#networkName = networkName;
    this.#names = names;
  }

  /** Why there is none, in words. Rejects with NftError when the kernel does not take it. */
  async ensure(wish: GuardWish): Promise<string | undefined> {
    const none = await whyNoNft(this.#commands);
    if (none !== undefined)
      return `whoever reaches UDP port ${wish.vxlanPort} of this host may send as any pod: ${none}; install nftables: ${UNSEEN_RULES}`;
    const table = tableName(this.#networkName);
    const { text, mark } = guardScript(`ip ${table}`, this.#names, wish);
    const shown = await readNft(this.#commands, ["list", "chain", "ip", table, MARKED_CHAIN]);
    if (!shown?.includes(`"${mark}"`)) await runNft(this.#commands, `${addTable(this.#networkName)}${text}\n`);
    return undefined;
  }

  async remove(): Promise<void> {
    if ((await whyNoNft(this.#commands)) === undefined)
      await removeFromTable(this.#commands, this.#networkName, GUARD_PREFIX);
  }
}
