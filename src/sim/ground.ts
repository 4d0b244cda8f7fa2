import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Observers } from "./observers.ts";
import type { Links } from "./sim-links.ts";
import type { Wires } from "./sim-network.ts";
import type { SimTime } from "./sim-time.ts";
import type { Trace } from "./trace.ts";

/** What every part of a world stands on. */
export interface Ground {
  readonly time: SimTime;
  readonly random: Random;
  readonly wires: Wires;
  readonly links: Links;
  readonly trace: Trace;
  readonly observers: Observers;
  /** By uid, for lines that people read: a driver knows the uid only. */
  readonly podNames: Map<string, string>;
  readonly hasNetwork: boolean;
  /** Something that was done to the world; `words`: the same for people. */
  fault(text: string, words?: () => string): void;
}

/** Warnings and errors of the program, as lines of the timeline. */
export function timelineLog(trace: Trace, who: string, fields: Readonly<Record<string, unknown>> = {}): Log {
  const say = (level: string, message: string, more: Readonly<Record<string, unknown>> = {}) => {
    const all = Object.entries({ ...fields, ...more }).map(([name, value]) => `${name}=${String(value)}`);
    trace.note(`${level.padEnd(7)} ${who}: ${message}${all.length === 0 ? "" : ` (${all.join(", ")})`}`);
  };
  return {
    debug() {},
    info() {},
    warn: (message, more) => say("warn", message, more),
    error: (message, more) => say("error", message, more),
    with: (more) => timelineLog(trace, who, { ...fields, ...more }),
  };
}
