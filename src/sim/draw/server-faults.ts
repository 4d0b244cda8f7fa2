/** What happens to the control plane's process and to its disk. */
import type { Random } from "../../seams/random.ts";
import type { World } from "../contract.ts";
import { duration, pick } from "./dice.ts";
import type { Step } from "./step.ts";

interface Spot {
  readonly atMs: number;
  readonly untilMs: number;
}

/** At a crash what was not acknowledged is on the disk or not, by chance. */
export function serverCrash(random: Random, { atMs, untilMs }: Spot): readonly Step[] {
  const forMs = Math.min(duration(random, 50, 60_000), untilMs - atMs);
  return [
    step(atMs, "server-crash", "the control plane is killed", (world) => {
      if (world.server.isUp) world.server.crash();
    }),
    step(atMs + forMs, "server-start", "the control plane starts", async (world) => {
      if (!world.server.isUp) await world.server.start();
    }),
  ];
}

export function serverFreeze(random: Random, { atMs, untilMs }: Spot): readonly Step[] {
  const ms = Math.min(duration(random, 500, 60_000), untilMs - atMs);
  return [
    step(atMs, "server-freeze", `the control plane stands still for ${ms} ms`, (world) => {
      if (world.server.isUp) world.server.freeze(ms);
    }),
  ];
}

export function journalFault(random: Random, { atMs, untilMs }: Spot): readonly Step[] {
  const ms = Math.min(duration(random, 500, 60_000), untilMs - atMs);
  return pick(random, [slow, refusing, stalled])(random, atMs, ms);
}

function slow(random: Random, atMs: number, ms: number): readonly Step[] {
  const delayMs = duration(random, 5, 3_000);
  return [
    step(atMs, "journal-slow", `every write takes ${delayMs} ms`, (world) => world.server.journal.setDelay(delayMs)),
    step(atMs + ms, "journal-fast", "writes are fast again", (world) => world.server.journal.setDelay(0)),
  ];
}

function refusing(_random: Random, atMs: number, ms: number): readonly Step[] {
  return [
    step(atMs, "journal-refuses", "the disk is full", (world) =>
      world.server.journal.refuse("no space left on device"),
    ),
    step(atMs + ms, "journal-takes", "the disk has space again", (world) => world.server.journal.refuse(undefined)),
  ];
}

function stalled(_random: Random, atMs: number, ms: number): readonly Step[] {
  return [
    step(atMs, "journal-stalls", `the journal answers nothing for ${ms} ms`, (world) => world.server.journal.stall(ms)),
  ];
}

function step(atMs: number, kind: string, words: string, perform: (world: World) => Promise<void> | void): Step {
  return { atMs, kind: `fault/${kind}`, words, perform };
}
