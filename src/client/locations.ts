/** Where a server's unix socket is, for the server that makes it and the clients that look for it. */
import { join } from "node:path";

const SOCKET_NAME = "styr.sock";

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Effective user; 0 is root. */
  readonly uid: number;
  readonly home: string;
}

/** Root's state directory, or the user's (XDG base directories). */
export function defaultStateDir({ env, uid, home }: Surroundings): string {
  if (uid === 0) return "/var/lib/styrmann";
  return join(env.XDG_STATE_HOME || join(home, ".local", "state"), "styrmann");
}

/** The socket of a server whose state directory is `stateDir`. Unix sockets have paths of at most 107 bytes. */
export function socketIn(stateDir: string): string {
  return join(stateDir, SOCKET_NAME);
}

/** Where root's server listens beside its state directory, so that a client finds it without knowing that. */
const SYSTEM_SOCKET = `/run/styrmann/${SOCKET_NAME}`;

/** Sockets to look for when nobody names a server, best first. */
export function socketCandidates(around: Surroundings): readonly string[] {
  const { env } = around;
  if (env.STYR_STATE) return [socketIn(env.STYR_STATE)];
  return [...new Set([socketIn(defaultStateDir(around)), SYSTEM_SOCKET])];
}
