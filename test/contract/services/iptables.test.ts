import { IptablesFirewall } from "../../../src/network/services/iptables/iptables-firewall.ts";
import { describeKernelRules } from "./kernel-suite.ts";
import { NETWORK } from "./stage.ts";

describeKernelRules(
  "iptables",
  (commands) => new IptablesFirewall(commands, NETWORK),
  [
    ["iptables", "-t", "nat", "-F"],
    ["iptables", "-F"],
  ],
  [["iptables-save"]],
);
