import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../seams/random.ts";

/** Makes the state directory and gives the name that marks everything this directory is answerable for. Made once, kept for ever. */
export async function openStateDir(stateDir: string, random: Random): Promise<{ readonly instance: string }> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const file = join(stateDir, "instance");
  const known = await readInstance(stateDir);
  if (known !== undefined) return { instance: known };
  const instance = random.uuid();
  await writeFile(`${file}.new`, `${instance}\n`, { flush: true, mode: 0o600 });
  await rename(`${file}.new`, file);
  return { instance };
}

/** Undefined when nothing was ever started on this directory. */
export async function readInstance(stateDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(stateDir, "instance"), "utf8")).trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
