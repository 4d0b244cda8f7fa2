/** What the agent and the thread that sends its heartbeats say to one another. */
import type { Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import type { TlsMaterial } from "../../network/link/web-socket-dialer.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Beater, HeartbeatNews } from "./heartbeat-loop.ts";

export interface ThreadData {
  readonly beater: Beater;
  /** See SharedSigns. */
  readonly signs: SharedArrayBuffer;
  /** Absent: through the agent's own thread. */
  readonly way?: Way;
}

/** How a thread reaches the control plane by itself: a thread reads no files, so it is given all as data, and again when it changes. */
export interface Way {
  /** `https://HOST:PORT` each. */
  readonly servers: readonly string[];
  /** The one to dial first. */
  readonly first?: string;
  readonly path: string;
  readonly protocol: string;
  readonly material: TlsMaterial;
}

export type FromThread =
  /** To be sent by the agent's own thread, where the control plane is in the same process. */
  | { readonly type: "beat"; readonly id: number; readonly beat: Heartbeat }
  /** Its `sentAtMs` is of the time that both share. */
  | { readonly type: "news"; readonly news: HeartbeatNews };

export type ToThread =
  | { readonly type: "answer"; readonly id: number; readonly answer: HeartbeatAnswer }
  | { readonly type: "failed"; readonly id: number; readonly message: string; readonly refused: boolean }
  /** From the next link on. */
  | { readonly type: "way"; readonly way: Way };

/** Added to a clock's monotonic time it gives a time that all threads and processes of the host share: each clock has a zero of its own. */
export function sharedOffset(clock: Clock): number {
  return Number(process.hrtime.bigint()) / 1e6 - clock.monotonic();
}
