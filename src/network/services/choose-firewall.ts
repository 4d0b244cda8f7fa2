import { CommandError, type Commands } from "../../seams/commands.ts";
import { whyNoNft } from "../nft/table.ts";
import type { Firewall } from "./firewall.ts";
import { IptablesFirewall } from "./iptables/iptables-firewall.ts";
import { NftFirewall } from "./nft/nft-firewall.ts";

/** nftables where this host has it, else iptables. Rejects in words when it has neither. */
export async function chooseFirewall(commands: Commands, networkName: string): Promise<Firewall> {
  const noNft = await whyNoNft(commands);
  const noIptables = await whyNoIptables(commands);
  if (noNft === undefined) {
    // nft was installed since the last start: what iptables had would be a second, older answer.
    if (noIptables === undefined) await new IptablesFirewall(commands, networkName).remove();
    return new NftFirewall(commands, networkName);
  }
  if (noIptables === undefined) return new IptablesFirewall(commands, networkName);
  throw new Error(`service addresses are not served on this host: ${noNft}; ${noIptables}. Install nftables`);
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
