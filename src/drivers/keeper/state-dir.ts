import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

/** The keeper's exit code when the state directory has one already. */
export const ALREADY_KEPT = 3;

/** Held by the one keeper of a state directory; its text is that keeper's pid. */
export const LOCK_NAME = "keeper.lock";

/** One version's files below `program` in the state directory (program.ts). */
export const PROGRAM_NAME = /^keeper-[0-9a-f]{16}$/;

/** sun_path holds 108 bytes (unix(7)). */
const LONGEST_PATH = 107;

export interface SocketPath {
  readonly path: string;
  /** After bind or connect. */
  readonly close: () => void;
}

/** A path to the keeper's socket that bind and connect take. A longer one goes through an open directory of this process. */
export function openSocketPath(stateDir: string): SocketPath {
  const path = join(stateDir, "keeper.sock");
  if (Buffer.byteLength(path) <= LONGEST_PATH) return { path, close: () => undefined };
  const directory = openSync(stateDir, "r");
  return { path: `/proc/self/fd/${directory}/keeper.sock`, close: () => closeSync(directory) };
}
