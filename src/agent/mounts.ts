import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Deleting through a mount would empty what is mounted: unmount first. Throws when one stays. */
export async function unmountBelow(path: string): Promise<void> {
  for (const mounted of await mountsBelow(path)) await run("umount", ["--no-canonicalize", mounted]);
  const [left] = await mountsBelow(path);
  if (left !== undefined) throw new Error(`${left} is still mounted`);
}

/** Mount points at or below `path`, innermost first. /proc/self/mountinfo writes space, tab, newline and \ in octal. */
export async function mountsBelow(path: string): Promise<readonly string[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8").catch((error: NodeJS.ErrnoException) => {
    // Nothing is mounted by us where there is no such file.
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const points = text.split("\n").map((line) => line.split(" ")[4] ?? "");
  return points
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((point) => point === path || point.startsWith(`${path}/`))
    .toSorted((a, b) => b.length - a.length);
}
