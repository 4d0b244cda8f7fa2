import { closeSync, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
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

/** Closes the path's directory, too. Undefined: nobody listens there. Rejects with what else kept it from connecting. */
export function connectTo({ path, close }: SocketPath): Promise<Socket | undefined> {
  return new Promise((done, fail) => {
    const socket = connect(path);
    socket.once("connect", () => {
      close();
      socket.removeAllListeners("error");
      done(socket);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      close();
      if (["ENOENT", "ECONNREFUSED"].includes(error.code ?? "")) done(undefined);
      else fail(error);
    });
  });
}
