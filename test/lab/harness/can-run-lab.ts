import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { canRunEngine } from "../../harness/engine.ts";

const NEEDED = ["nsenter", "unshare", "tini", "nft", "etcd", "docker-registry", "busybox"];

/** What images of the network's lab are made of. */
const NEEDED_BY_NETWORK = ["haproxy", "curl", "redis-server", "conntrack", "ping"];

/** The same for a lab whose pods talk to each other. */
export function canRunNetworkLab(): string | undefined {
  const missing = NEEDED_BY_NETWORK.filter((file) => spawnSync("which", [file]).status !== 0);
  return canRunLab() ?? (missing.length > 0 ? `this lab needs ${missing.join(", ")}` : undefined);
}

/** Undefined when a lab of several hosts can be made here; else why not, for `skip`. */
export function canRunLab(): string | undefined {
  const engine = canRunEngine();
  if (engine) return engine.replaceAll("private Docker Engines", "lab hosts");
  const missing = NEEDED.filter((file) => spawnSync("which", [file]).status !== 0);
  if (missing.length > 0)
    return `lab hosts need ${missing.join(", ")} (apt-get install util-linux tini nftables etcd-server docker-registry busybox-static)`;
  if (!existsSync("/sys/fs/cgroup/freezer/cgroup.procs"))
    return "lab hosts need cgroup v1 hierarchies (a whole host is stopped by its freezer)";
  if (spawnSync("unshare", ["--cgroup", "--mount", "--pid", "--fork", "true"]).status !== 0)
    return "lab hosts need namespaces, which this container may not make";
  return undefined;
}
