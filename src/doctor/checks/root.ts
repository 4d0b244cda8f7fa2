import type { Check } from "../check.ts";

export const root: Check = ({ isRoot }) =>
  isRoot
    ? { name: "root", ok: true, message: "running as root" }
    : {
        ...{
          name: "root",
          ok: false,
          message: "not root: processes and units cannot be given limits, and no engine can be installed",
        },
        fix: "run as root for units and processes; containers work for members of the group docker",
      };
