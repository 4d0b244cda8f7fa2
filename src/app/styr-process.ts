/** What every long-running styr has, whatever halves of it run in it. */
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { type Clock, SystemClock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import { type Random, SystemRandom } from "../seams/random.ts";
import { answers } from "./listen.ts";
import { openLog } from "./log.ts";
import { type HalfMeters, halfMeters } from "./metered/process-meters.ts";
import { foldersOf } from "./node-side.ts";
import type { Settings } from "./settings.ts";
import type { UpIo } from "./up-io.ts";
import { programVersion } from "./version.ts";

export interface StyrProcess {
  readonly settings: Settings;
  readonly io: UpIo;
  /** Name of this host in the cluster. */
  readonly name: string;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where its halves count what they do. */
  readonly meters: HalfMeters;
  /** Aborted by a person, by `styr down`, or by what cannot go on. */
  readonly stopping: AbortController;
}

/** Throws an Error with words when a styr runs on this state directory already. */
export async function beginProcess(settings: Settings, io: UpIo): Promise<StyrProcess> {
  if (await answers(settings.socketPath)) {
    throw new Error(`styr is running already on ${settings.stateDir}; see it with: ${styrWith(settings)} status`);
  }
  const version = programVersion();
  await mkdir(settings.stateDir, { recursive: true, mode: 0o711 });
  const log = openLog(foldersOf(settings.stateDir).logs, settings.logLevel);
  log.info("starting", { version, stateDir: settings.stateDir });
  const stopping = new AbortController();
  io.signal.addEventListener("abort", () => stopping.abort(), { once: true });
  const name = settings.nodeName ?? hostname().toLowerCase();
  return {
    settings,
    io,
    name,
    version,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log,
    meters: halfMeters(),
    stopping,
  };
}

/** How to call the client so that it finds this server. */
export function styrWith(settings: Settings): string {
  return settings.isDefaultState ? "npx styr" : `npx styr --server unix://${settings.socketPath}`;
}

/** Why a process stops that should have gone on: reason of `stopping`. */
export class CannotGoOn extends Error {
  override readonly name = "CannotGoOn";

  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** `styr down` takes away what runs here as soon as the process has ended: reason of `stopping`. */
export class TakenDown extends Error {
  override readonly name = "TakenDown";
}

/** Throws, after an orderly end, what made the process stop if that was no person: it is to be seen, and its exit code too. */
export function throwIfFailed({ reason }: AbortSignal): void {
  if (reason instanceof CannotGoOn) throw reason.cause;
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // Nothing else may be holding the process when it only waits.
    const alive = setInterval(() => {}, 2 ** 30);
    signal.addEventListener(
      "abort",
      () => {
        clearInterval(alive);
        resolve();
      },
      { once: true },
    );
  });
}
