import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";

/** What a path names is not a file that ends. */
export class UnsoundFileError extends Error {
  override readonly name = "UnsoundFileError";
}

/**
 * A small file that somebody else named. A FIFO would hold a thread of the process until somebody writes to it (four
 * of them and nothing is read any more), and a device may never end: both are refused, and so is too large a file.
 */
export async function readBoundedFile(path: string, mostBytes: number): Promise<string> {
  const bytes = await readStart(path, mostBytes + 1);
  if (bytes.length > mostBytes) throw new UnsoundFileError(`it is larger than ${mostBytes} bytes`);
  return bytes.toString("utf8");
}

/** The first bytes of a file, whatever its size is said to be: that of files in /proc is 0. */
export async function readStart(path: string, mostBytes: number): Promise<Buffer> {
  // Before it is opened, because opening some devices has effects; and again on what was opened.
  const named = await stat(path);
  if (isNull(named)) return Buffer.alloc(0);
  refuseUnlessFile(named);
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    refuseUnlessFile(await handle.stat());
    const bytes = Buffer.alloc(mostBytes);
    let length = 0;
    while (length < mostBytes) {
      const { bytesRead } = await handle.read(bytes, length, mostBytes - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await handle.close();
  }
}

type Found = Awaited<ReturnType<typeof stat>>;

/** /dev/null, by its numbers (Linux: character device 1, 3): the usual way to say "none". */
function isNull(found: Found): boolean {
  return found.isCharacterDevice() && found.rdev === 0x103;
}

function refuseUnlessFile(found: Found): void {
  if (!found.isFile()) throw new UnsoundFileError("it is not a regular file");
}
