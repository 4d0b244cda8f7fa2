import { open, statfs } from "node:fs/promises";
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

const GIB = 2 ** 30;
/** So that a log that grows and is cut does not turn the word on and off. */
const BACK = 1.1;

/** Kubernetes' threshold for the condition DiskPressure (nodefs.available < 10%); here at least 1 GiB is enough. */
export function isShort(
  { diskBytes, diskFreeBytes }: { readonly diskBytes: number; readonly diskFreeBytes: number },
  wasShort = false,
): boolean {
  return diskFreeBytes < Math.min(GIB, diskBytes / 10) * (wasShort ? BACK : 1);
}

/** Of the file system that `folder` is on. */
export async function isDiskShort(folder: string, wasShort: boolean): Promise<boolean> {
  const { blocks, bavail, bsize } = await statfs(folder);
  return isShort({ diskBytes: blocks * bsize, diskFreeBytes: bavail * bsize }, wasShort);
}
