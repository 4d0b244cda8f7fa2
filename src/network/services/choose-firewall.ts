import { CommandError, type Commands } from "../../seams/commands.ts";
import { UNSEEN_RULES, whyNoNft } from "../nft/table.ts";
import type { Firewall } from "./firewall.ts";
import { IptablesFirewall } from "./iptables/iptables-firewall.ts";
import { NftFirewall, whyNoForgetting } from "./nft/nft-firewall.ts";

/** nftables where this host has it, else iptables. Rejects in words when it has neither. */
export async function chooseFirewall(commands: Commands, networkName: string): Promise<Firewall> {
  const noNft = await whyNoNft(commands);
  if (noNft === undefined)
    return new NftFirewall(commands, networkName, (await whyNoForgetting(commands)) === undefined);
  const noIptables = await whyNoIptables(commands);
  if (noIptables === undefined) return new IptablesFirewall(commands, networkName);
  throw new Error(
    `service addresses are not served on this host: ${noNft}; ${noIptables}. Install nftables: ${UNSEEN_RULES}`,
  );
}

/** nft came, or came back, since iptables was chosen. */
export async function hasBetter({ name }: Firewall, commands: Commands): Promise<boolean> {
  return name === "iptables" && (await whyNoNft(commands)) === undefined;
}

/** What iptables has of ours from when nft was missing: beside nft's, a second, older answer. */
export async function removeOutdated({ name }: Firewall, commands: Commands, networkName: string): Promise<void> {
  if (name === "nftables" && (await whyNoIptables(commands)) === undefined)
    await new IptablesFirewall(commands, networkName).remove();
}

/** What either has of ours on this host. */
export async function removeFirewalls(commands: Commands, networkName: string): Promise<void> {
  if ((await whyNoNft(commands)) === undefined) await new NftFirewall(commands, networkName).remove();
  if ((await whyNoIptables(commands)) === undefined) await new IptablesFirewall(commands, networkName).remove();
}

async function whyNoIptables(commands: Commands): Promise<string | undefined> {
  try {
    const { exitCode, stderr } = await commands.run("iptables-save", ["-t", "nat"]);
    return exitCode === 0 ? undefined : stderr.trim().split("\n")[0] || `iptables-save ended with ${exitCode}`;
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}
