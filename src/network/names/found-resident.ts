/** A server of names that runs already: of use, or to be ended. */
import type { Socket } from "node:net";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import { ResidentClient } from "./resident-client.ts";
import { killResident, openResident } from "./start-resident.ts";

export interface FoundPlace {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Looks in vain, one after the other, after which it is ended and started anew: it is stopped, or hangs. */
export const MOST_MISSES = 3;

/** The one that runs. The kernel takes connections also for one that is stopped: that one is ended. */
export async function findResident(
  { folder, log }: FoundPlace,
  version: string,
  clientOf: (socket: Socket) => ResidentClient,
): Promise<ResidentClient | undefined> {
  const socket = await openResident(folder, version);
  if (socket === undefined) return undefined;
  const client = clientOf(socket);
  for (let misses = 0; misses < MOST_MISSES && client.isOpen; misses++) if (await answers(client, log)) return client;
  log.warn("the server of names does not answer; it is ended, and another is started");
  client.close();
  killResident(folder, version);
  return undefined;
}

/** Ends by itself, with the answers that it owes, or else by force. */
export async function endResident({ folder, clock, log }: FoundPlace, version: string): Promise<void> {
  const socket = await openResident(folder, version);
  if (!socket) return killResident(folder, version);
  const client = new ResidentClient(socket, clock, () => undefined);
  try {
    await client.call({ call: "end" });
    await client.closed();
  } catch (error) {
    log.warn("a server of names does not end when told to", { error: (error as Error).message });
    killResident(folder, version);
  }
}

async function answers(client: ResidentClient, log: Log): Promise<boolean> {
  try {
    await client.look();
    return true;
  } catch (error) {
    log.warn("the server of names was not found well", { error: (error as Error).message });
    return false;
  }
}
