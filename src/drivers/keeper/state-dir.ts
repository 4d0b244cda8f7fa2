import { type SocketPath, shortSocketPath } from "../../lib/socket-path.ts";

/** The keeper's exit code when the state directory has one already. */
export const ALREADY_KEPT = 3;

/** Held by the one keeper of a state directory; its text is that keeper's pid. */
export const LOCK_NAME = "keeper.lock";

/** One version's files below `program` in the state directory (program.ts). */
export const PROGRAM_NAME = /^keeper-[0-9a-f]{16}$/;

/** A path to the keeper's socket that bind and connect take. */
export function openSocketPath(stateDir: string): SocketPath {
  return shortSocketPath(stateDir, "keeper.sock");
}
