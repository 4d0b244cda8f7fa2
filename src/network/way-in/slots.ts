/** HAProxy's backends have a fixed number of servers; each endpoint takes one of these slots and keeps it. Pure but for the table itself. */
import type { BackendServer } from "./backend-servers.ts";

export interface Slot {
  readonly address: string;
  readonly port: number;
  readonly state: "on" | "off";
}

export type Slots = readonly (Slot | undefined)[];

const LEAST = 4;

/** Room for as many again, so that the next endpoints need no reload. */
export function roomFor(count: number): number {
  let room = LEAST;
  while (room < count + Math.ceil(count / 4)) room *= 2;
  return room;
}

/**
 * Those that are there stay where they are; new ones take free slots. More slots only when there are too few: the caller reloads then.
 * A slot that nobody needs keeps its address, in the state "off": requests that are on their way there end well.
 */
export function assignSlots(before: Slots, servers: readonly BackendServer[]): Slots {
  const wanted = new Map(servers.map((server) => [keyOf(server), server]));
  const size = servers.length <= before.length && before.length > 0 ? before.length : roomFor(servers.length);
  const slots: (Slot | undefined)[] = Array.from({ length: size }, (_, at) => before[at]);
  const free: number[] = [];
  for (const [at, slot] of slots.entries()) {
    const server = slot && wanted.get(keyOf(slot));
    if (server) {
      slots[at] = server;
      wanted.delete(keyOf(server));
    } else {
      if (slot) slots[at] = { ...slot, state: "off" };
      free.push(at);
    }
  }
  // Those that were never used first, so that old requests of the others have longest to end.
  free.sort((a, b) => Number(slots[a] !== undefined) - Number(slots[b] !== undefined) || a - b);
  for (const server of wanted.values()) slots[free.shift() ?? slots.length] = server;
  return slots;
}

/** What of `wanted` finds room in the slots that there are, as many of those that take requests as can be; none wanted are "off". */
export function fitSlots(present: Slots, wanted: Slots): Slots {
  const on = wanted.filter((slot) => slot?.state === "on") as readonly Slot[];
  const there = new Set(present.flatMap((slot) => (slot ? keyOf(slot) : [])));
  const [known, fresh] = [on.filter((slot) => there.has(keyOf(slot))), on.filter((slot) => !there.has(keyOf(slot)))];
  return present.length === 0 ? [] : assignSlots(present, [...known, ...fresh].slice(0, present.length));
}

function keyOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${address}:${port}`;
}
