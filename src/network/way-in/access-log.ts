import { copyFile, stat, truncate } from "node:fs/promises";

const MOST_BYTES = 10 * 1024 * 1024;
const KEPT = 4;

/**
 * HAProxy writes to a file that it was given open (appending), so that it needs nobody to take its log. Of a file that has become too large
 * a copy is made, and it begins anew: a few lines in between can be lost, and the disk is never full of them.
 */
export async function rotateAccessLog(path: string, mostBytes = MOST_BYTES): Promise<boolean> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size < mostBytes) return false;
  for (let n = KEPT - 1; n >= 1; n--) await copyIfThere(`${path}.${n}`, `${path}.${n + 1}`);
  await copyFile(path, `${path}.1`);
  await truncate(path);
  return true;
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
