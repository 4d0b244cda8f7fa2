import { NftFirewall } from "../../../src/network/services/nft/nft-firewall.ts";
import { describeKernelRules } from "./kernel-suite.ts";
import { NETWORK } from "./stage.ts";

describeKernelRules(
  "nftables",
  (commands) => new NftFirewall(commands, NETWORK),
  [
    ["nft", "flush", "ruleset"],
    ["nft", "flush", "table", "ip", NETWORK],
  ],
  [["nft", "list", "table", "ip", NETWORK]],
);
