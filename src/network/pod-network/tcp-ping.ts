import { connect } from "node:net";
import type { Clock } from "../../seams/clock.ts";

/** The port of DNS, where another node's gateway address may well be silent: a refusal comes from there as an answer does. */
const PORT = 53;

export interface Ping {
  readonly to: string;
  /** Sent from it where the host has it: from an address of pods, so that what is tried is what they would try. */
  readonly from?: string;
}

/** How long an answer took, in milliseconds. Rejects when none came. */
export type Dial = (ping: Ping, signal: AbortSignal) => Promise<number>;

export function tcpPing(clock: Clock): Dial {
  return async (ping, signal) => {
    try {
      return await once(ping, signal, clock);
    } catch (error) {
      // The bridge is not there yet.
      if ((error as NodeJS.ErrnoException).code !== "EADDRNOTAVAIL" || ping.from === undefined) throw error;
      return await once({ to: ping.to }, signal, clock);
    }
  };
}

function once({ to, from }: Ping, signal: AbortSignal, clock: Clock): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const beganMs = clock.monotonic();
  const socket = connect({ host: to, port: PORT, ...(from === undefined ? {} : { localAddress: from }) });
  const answered = () => resolve(clock.monotonic() - beganMs);
  const late = () => reject(new Error("no answer in time"));
  signal.addEventListener("abort", late, { once: true });
  if (signal.aborted) late();
  socket.once("connect", answered);
  socket.once("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNREFUSED" ? answered() : reject(error)));
  return promise.finally(() => {
    signal.removeEventListener("abort", late);
    // It may fail once more while it is taken away.
    socket.on("error", () => undefined);
    socket.destroy();
  });
}

/** What a connection to that port came to: "open", or the code of its error; undefined: nothing answered until `signal` aborted. */
export type Knock = (at: Ping & { readonly port: number }, signal: AbortSignal) => Promise<string | undefined>;

export const tcpKnock: Knock = async ({ to, port, from }, signal) => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect({ host: to, port, ...(from === undefined ? {} : { localAddress: from }) });
  const late = () => resolve(undefined);
  signal.addEventListener("abort", late, { once: true });
  socket.once("connect", () => resolve("open"));
  // It may fail once more while it is taken away.
  socket.on("error", ({ code }: NodeJS.ErrnoException) => resolve(code));
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", late);
    socket.destroy();
  }
};
