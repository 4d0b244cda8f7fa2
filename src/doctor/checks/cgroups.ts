import type { Check } from "../check.ts";

const NEEDED = ["cpu", "memory", "pids"];

export const cgroups: Check = ({ cgroupVersion, cgroupControllers }) => {
  if (cgroupVersion === undefined)
    return {
      ...{ name: "cgroups", ok: false, message: "no cgroup hierarchy is mounted at /sys/fs/cgroup" },
      fix: "mount -t cgroup2 none /sys/fs/cgroup",
    };
  const missing = NEEDED.filter((name) => !cgroupControllers.includes(name));
  if (missing.length === 0)
    return { name: "cgroups", ok: true, message: `cgroup v${cgroupVersion} with ${NEEDED.join(", ")}` };
  return {
    ...{
      name: "cgroups",
      ok: false,
      message: `cgroup v${cgroupVersion} lacks ${missing.join(", ")}: these limits are not enforced`,
    },
    fix: missing.includes("memory")
      ? "boot with cgroup_enable=memory swapaccount=1 on the kernel's command line"
      : "enable the controllers in the kernel's configuration",
  };
};
