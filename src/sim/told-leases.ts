import type { LeaseDesk } from "../model/heartbeat.ts";
import type { Observers } from "./observers.ts";

/** The control plane's own desk, overheard. */
export function toldLeases(desk: LeaseDesk, observers: Observers): LeaseDesk {
  return {
    beat(beat) {
      const answer = desk.beat(beat);
      observers.tell((observer) => observer.heard?.(beat, answer));
      return answer;
    },
    async goodbye(goodbye) {
      await desk.goodbye(goodbye);
      observers.tell((observer) => observer.parted?.(goodbye));
    },
  };
}
