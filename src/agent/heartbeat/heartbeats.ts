import type { Clock } from "../../seams/clock.ts";
import type { Control } from "../control.ts";
import { healthOf, type Signs } from "./health.ts";
import { type Beater, HeartbeatLoop, type HeartbeatNews } from "./heartbeat-loop.ts";

/** Whoever sends the agent's signs of life: this thread, or one of its own (thread-heartbeats.ts). */
export interface Heartbeats {
  start(beater: Beater, heard: (news: HeartbeatNews) => void): void;
  /** None is sent after this. */
  stop(): void;
  /** What the agent has seen to work, for the health word. */
  show(signs: Signs): void;
  /** Whether it wants to be shown that the agent's own loop turns. */
  readonly watchesAgent: boolean;
}

/** In the agent's own thread: for the simulator and tests, where nothing blocks. */
export class OwnHeartbeats implements Heartbeats {
  readonly watchesAgent = false;
  readonly #control: Pick<Control, "heartbeat">;
  readonly #clock: Clock;
  #signs: Signs = {};
  #loop: HeartbeatLoop | undefined;

  constructor(control: Pick<Control, "heartbeat">, clock: Clock) {
    this.#control = control;
    this.#clock = clock;
  }

  start(beater: Beater, heard: (news: HeartbeatNews) => void): void {
    this.#loop = new HeartbeatLoop({
      ...{ beater, heard, clock: this.#clock },
      send: (beat) => this.#control.heartbeat(beat),
      health: () => healthOf(this.#signs, this.#clock.monotonic()),
    });
    this.#loop.start();
  }

  stop(): void {
    this.#loop?.stop();
  }

  show(signs: Signs): void {
    this.#signs = signs;
  }
}
