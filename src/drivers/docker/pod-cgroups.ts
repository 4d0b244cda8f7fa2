/**
 * The cgroup of a pod, which its containers' cgroups lie in. The engine makes it; here it gets its weight against other pods and goes when
 * the pod goes. Only for an engine on this host (unix socket); for another host's everything here does nothing.
 */
import { execFile } from "node:child_process";
import { readdir, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const MOUNT = "/sys/fs/cgroup";

export type CgroupDriver = "cgroupfs" | "systemd";

export class PodCgroups {
  readonly #root: string;
  readonly #driver: CgroupDriver;
  readonly #isLocal: boolean;

  /** `root`: name of the top-level cgroup of all pods, `styrmann`. */
  constructor(root: string, driver: CgroupDriver, isLocal: boolean) {
    this.#root = root;
    this.#driver = driver;
    this.#isLocal = isLocal;
  }

  /** As the engine wants CgroupParent: a path with cgroupfs, a slice's name with systemd. */
  parentOf(podUid: string): string {
    return this.#driver === "systemd" ? this.#slice(podUid) : `/${this.#root}/${podUid}`;
  }

  /** `shares`: 1024 a core, as Docker's --cpu-shares. The cgroup is there once a container of the pod has started. */
  async setWeight(podUid: string, shares: number): Promise<void> {
    if (!this.#isLocal) return;
    // The kernel's own conversion range: shares 2…262144 to weight 1…10000 (runc does the same).
    const weight = 1 + Math.floor(((shares - 2) * 9999) / 262_142);
    for (const root of await hierarchies()) {
      const path = join(root, this.#path(podUid));
      if (await exists(join(path, "cpu.shares"))) await writeFile(join(path, "cpu.shares"), String(shares));
      else if (await exists(join(path, "cpu.weight"))) await writeFile(join(path, "cpu.weight"), String(weight));
    }
  }

  /** Below a hierarchy's mount; undefined with an engine on another host. */
  pathOf(podUid: string): string | undefined {
    return this.#isLocal ? this.#path(podUid) : undefined;
  }

  /** Uids of pods that have a cgroup here. With systemd the names cannot be told from other units, and systemd removes them itself. */
  async pods(): Promise<readonly string[]> {
    if (!this.#isLocal || this.#driver === "systemd") return [];
    const uids = new Set<string>();
    for (const root of await hierarchies())
      for (const entry of await directories(join(root, this.#root))) if (isUid(entry)) uids.add(entry);
    return [...uids].sort();
  }

  /** Removes the pod's cgroup where it is empty. One that still holds something is left to who put it there. */
  async remove(podUid: string): Promise<void> {
    if (!this.#isLocal) return;
    if (this.#driver === "systemd") return stopSlice(this.#slice(podUid));
    for (const root of await hierarchies()) await removeEmpty(join(root, this.#root, podUid));
  }

  async removeRoot(): Promise<void> {
    if (!this.#isLocal || this.#driver === "systemd") return;
    for (const root of await hierarchies()) await removeEmpty(join(root, this.#root));
  }

  #slice(podUid: string): string {
    return `${this.#root}-pod${podUid.replaceAll("-", "_")}.slice`;
  }

  #path(podUid: string): string {
    return this.#driver === "systemd" ? join(`${this.#root}.slice`, this.#slice(podUid)) : join(this.#root, podUid);
  }
}

async function hierarchies(): Promise<string[]> {
  if (await exists(join(MOUNT, "cgroup.procs"))) return [MOUNT];
  return (await directories(MOUNT)).map((name) => join(MOUNT, name));
}

async function directories(path: string): Promise<string[]> {
  try {
    return (await readdir(path, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (
    (await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    })) !== undefined
  );
}

async function removeEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    // EBUSY and ENOTEMPTY: something of another driver is in it. EROFS, EACCES: not ours to remove.
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!["ENOENT", "EBUSY", "ENOTEMPTY", "EROFS", "EACCES", "EPERM"].includes(code)) throw error;
  }
}

/** A slice of a pod that is gone is already stopped, which systemctl reports as success; without systemctl there is nothing to stop. */
async function stopSlice(slice: string): Promise<void> {
  try {
    await promisify(execFile)("systemctl", ["stop", slice], { timeout: 10_000 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" && !String(error).includes("not loaded")) throw error;
  }
}

function isUid(name: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(name);
}
