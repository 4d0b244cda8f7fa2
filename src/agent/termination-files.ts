import { chmod, mkdir, open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isSafeName } from "./safe-name.ts";

/** Kubernetes' MaxContainerTerminationMessageLength. */
const MOST_BYTES = 4096;

/** The file that a run may leave its last words in, below `directory`. Any user of the container may write. */
export async function makeTerminationFile(directory: string, container: string, attempt: number): Promise<string> {
  if (!isSafeName(container)) throw new Error(`"${container}" is not a container name`);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  // Of a container that crashes for days, the words of the last two runs are enough.
  await rm(join(directory, `${container}-${attempt - 2}`), { force: true });
  const path = join(directory, `${container}-${attempt}`);
  await writeFile(path, "", { flag: "a" });
  await chmod(path, 0o666);
  return path;
}

/** The end of what was written; undefined when nothing was. */
export async function readTerminationFile(directory: string, container: string, attempt: number) {
  if (!isSafeName(container)) return undefined;
  const handle = await open(join(directory, `${container}-${attempt}`), "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(MOST_BYTES),
      position: Math.max(0, size - MOST_BYTES),
    });
    return bytesRead === 0 ? undefined : buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
