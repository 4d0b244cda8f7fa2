import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { foldersOf } from "./node-side.ts";

const STATE_FILES: readonly string[] = [
  ...["store.db", "store.db-wal", "store.db-shm", "styr.sock", "place.json", "place.json.new"],
  ...["cluster.json", "cluster.json.new", "joining"],
];

/** What styr wrote there, name by name; somebody's own files in that folder stay, and then so does the folder. */
export async function removeState(stateDir: string, say: (line: string) => void): Promise<void> {
  const folders = Object.values(foldersOf(stateDir));
  const all = await readdir(stateDir);
  const names = [...STATE_FILES, ...all.filter((name) => name.startsWith("store.db.before-"))];
  const mounts: string[] = [];
  for (const path of [...folders, join(stateDir, "pki"), ...names.map((name) => join(stateDir, name))])
    if (!(await isRemoved(() => rm(path, { recursive: true, force: true })))) {
      await empty(path);
      mounts.push(path);
    }
  for (const path of mounts) say(`emptied ${path}, which is a mount and stays`);
  const left = (await readdir(stateDir)).filter((name) => !mounts.includes(join(stateDir, name))).sort();
  if (left.length > 0)
    say(`removed what styr had written in ${stateDir}; not ours, and still there: ${left.join(", ")}`);
  else if (mounts.length === 0 && (await isRemoved(() => rmdir(stateDir)))) say(`removed ${stateDir}`);
  else say(`emptied ${stateDir}${mounts.length === 0 ? ", which is a mount and stays" : " otherwise"}`);
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

/** False for what something is mounted on: rmdir(2) refuses that before it looks whether anything is in it. */
async function isRemoved(remove: () => Promise<void>): Promise<boolean> {
  try {
    await remove();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    return false;
  }
}
