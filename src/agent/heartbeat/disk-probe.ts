import { open } from "node:fs/promises";
import { join } from "node:path";

/** Writes a little below `folder` and waits until it is on disk: as long as that takes, the disk takes. */
export async function probeDisk(folder: string): Promise<void> {
  const handle = await open(join(folder, "disk-probe"), "w", 0o600);
  try {
    await handle.write("x");
    await handle.sync();
  } finally {
    await handle.close();
  }
}
