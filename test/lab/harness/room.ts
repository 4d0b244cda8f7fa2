/**
 * Labs run beside each other. What one measures in tenths of a second says nothing while another one throws away forty pods or starts eight
 * engines: whoever does either has the room for himself meanwhile. Who has it is a socket's name, which the kernel gives back when its
 * process ends, however it ends.
 */
import { createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const ROOM = "\0styrmann-lab-room";
const ASK_MS = 200;
/** Longer than all that is done in it. */
const PATIENCE_MS = 600_000;

/** `name`: another room, for tests. Rejects when nobody leaves it in time. */
export async function aloneInRoom<T>(work: () => Promise<T>, name = ROOM, patienceMs = PATIENCE_MS): Promise<T> {
  const server = await enter(name, patienceMs);
  try {
    return await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function enter(name: string, patienceMs: number): Promise<Server> {
  for (const from = performance.now(); ; await delay(ASK_MS)) {
    const server = await tryEnter(name);
    if (server !== undefined) return server;
    if (performance.now() - from > patienceMs) throw new Error("another lab has had the room for too long");
  }
}

function tryEnter(name: string): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(name, () => resolve(server));
  });
}
