import { rfc3339 } from "../../seams/clock.ts";

/** How often HAProxy ended by itself: of what runs again nobody would know that it was away. */
export class Ends {
  #times = 0;
  #lastMs = 0;

  note(nowMs: number): void {
    this.#times++;
    this.#lastMs = nowMs;
  }

  get words(): readonly string[] {
    if (this.#times === 0) return [];
    const often = this.#times === 1 ? "at" : `${this.#times} times, last at`;
    return [`HAProxy had ended, or stood still, and was started again ${often} ${rfc3339(this.#lastMs)}`];
  }
}
