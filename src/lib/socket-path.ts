import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

/** sun_path holds 108 bytes (unix(7)). */
const LONGEST_PATH = 107;

export interface SocketPath {
  readonly path: string;
  /** After bind or connect. */
  readonly close: () => void;
}

/** A path to a socket that bind and connect take. A longer one goes through an open directory of this process. */
export function shortSocketPath(directory: string, name: string): SocketPath {
  const path = join(directory, name);
  if (Buffer.byteLength(path) <= LONGEST_PATH) return { path, close: () => undefined };
  const descriptor = openSync(directory, "r");
  return { path: `/proc/self/fd/${descriptor}/${name}`, close: () => closeSync(descriptor) };
}
