import type { Check } from "../check.ts";

export const iptables: Check = ({ hasIptables }) =>
  hasIptables
    ? { name: "iptables", ok: true, message: "iptables is installed" }
    : {
        ...{
          name: "iptables",
          ok: false,
          message: "there is no iptables: the Docker daemon does not start without it",
        },
        fix: "apt-get install iptables",
      };
