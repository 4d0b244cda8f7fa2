import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";
import { DriverError } from "../driver.ts";

/** One mounted cgroup hierarchy. v2 has one; v1 has one per controller or group of controllers. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Of those this program uses. A named v1 hierarchy (`name=systemd`) and v2 on a hybrid host have none. */
  readonly controllers: readonly string[];
  readonly path: string;
}

export interface CgroupLayout {
  /** Every process is placed in all of them: one left out would be where systemd, or another, still finds it. */
  readonly hierarchies: readonly Hierarchy[];
  /** The one that says which processes belong to a cgroup. */
  readonly tracking: Hierarchy;
  /** Paths of v1 hierarchies of other controllers: nothing is placed there, but an engine makes cgroups of its containers in each. */
  readonly others?: readonly string[];
}

const USED: readonly string[] = ["cpu", "cpuacct", "memory", "pids", "freezer"];

/** Reads `/proc/self/mountinfo` (proc(5)); `unifiedControllers` gives what `cgroup.controllers` at a v2 mount says. */
export function parseLayout(
  mountinfo: string,
  unifiedControllers: (path: string) => readonly string[],
): CgroupLayout | undefined {
  const byKey = new Map<string, Hierarchy>();
  const others = new Set<string>();
  for (const line of mountinfo.split("\n")) {
    const found = parseMount(line, unifiedControllers);
    if (typeof found === "string") others.add(found);
    if (found === undefined || typeof found === "string") continue;
    const key = found.version === 2 ? "v2" : found.controllers.join();
    const known = byKey.get(key);
    // The same hierarchy may be mounted twice; the shorter path is the usual one.
    if (!known || found.path.length < known.path.length) byKey.set(key, found);
  }
  const hierarchies = [...byKey.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const tracking =
    hierarchies.find(({ version }) => version === 2) ??
    hierarchies.find(({ controllers }) => controllers.includes("freezer")) ??
    hierarchies[0];
  return tracking && { hierarchies, tracking, ...(others.size > 0 ? { others: [...others].sort() } : {}) };
}

/** The path alone of a v1 hierarchy that has nothing that is used. */
function parseMount(
  line: string,
  unifiedControllers: (path: string) => readonly string[],
): Hierarchy | string | undefined {
  const [before = "", after = ""] = line.split(" - ");
  const path = unescapePath(before.split(" ")[4] ?? "");
  const [type, , superOptions = ""] = after.split(" ");
  if (type === "cgroup2") {
    return { version: 2, controllers: unifiedControllers(path).filter((name) => USED.includes(name)), path };
  }
  if (type !== "cgroup") return undefined;
  const options = superOptions.split(",");
  const controllers = options.filter((name) => USED.includes(name)).sort();
  return controllers.length > 0 || options.includes("name=systemd") ? { version: 1, controllers, path } : path;
}

/** mountinfo writes space, tab, newline and backslash in octal. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** What this machine has. DriverError in words when processes cannot be given cgroups here. */
export function detectLayout(): CgroupLayout {
  const layout = parseLayout(readFileSync("/proc/self/mountinfo", "utf8"), (path) =>
    readFileSync(join(path, "cgroup.controllers"), "utf8").trim().split(" "),
  );
  if (!layout) throw unusable("no cgroup hierarchy is mounted (expected under /sys/fs/cgroup)");
  for (const { path } of layout.hierarchies) {
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      throw unusable(
        `${path} is not writable; processes need cgroups, which need root (and in a container a writable /sys/fs/cgroup)`,
        error,
      );
    }
  }
  return layout;
}

function unusable(message: string, cause?: unknown): DriverError {
  return new DriverError(message, { temporary: false, reason: "NoCgroups", cause });
}
