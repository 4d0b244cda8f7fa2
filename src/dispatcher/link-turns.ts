/**
 * Links are looked after in turns, so that the signs of life of 10,000 do not go out in one moment: one that says nothing
 * for too long is closed, one with a session is given a sign.
 */
import { DISPATCHER_PATIENCE_MS, KEEP_ALIVE_MS, STALL_MS } from "../agent/frames/limits.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { AgentLink } from "./agent-link.ts";

const TURNS = 10;

export interface LinkTurnsParts {
  readonly clock: Clock;
  readonly close: (agent: AgentLink, why: string) => void;
  readonly sign: (agent: AgentLink) => void;
  /** All had their turn. */
  readonly roundOver: (nowMs: number) => void;
  /** There is something to look after even while no link is open. */
  readonly isNeeded: () => boolean;
}

export class LinkTurns {
  readonly #parts: LinkTurnsParts;
  readonly #turns: readonly Set<AgentLink>[] = Array.from({ length: TURNS }, () => new Set<AgentLink>());
  #turn = 0;
  #links = 0;
  #timer: Timer | undefined;
  #dueAtMs = 0;

  constructor(parts: LinkTurnsParts) {
    this.#parts = parts;
  }

  add(agent: AgentLink): void {
    this.#turnOf(agent).add(agent);
    this.#links++;
    if (this.#timer === undefined) this.#lookSoon();
  }

  remove(agent: AgentLink): void {
    if (!this.#turnOf(agent).delete(agent)) return;
    this.#links--;
    if (this.#links > 0 || this.#parts.isNeeded()) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Closes them all. */
  stop(why: string): void {
    this.#timer?.cancel();
    for (const turn of this.#turns) for (const agent of [...turn]) this.#parts.close(agent, why);
  }

  #turnOf({ order }: AgentLink): Set<AgentLink> {
    return this.#turns[order % TURNS] as Set<AgentLink>;
  }

  #lookSoon(): void {
    const { clock } = this.#parts;
    this.#dueAtMs = clock.monotonic() + KEEP_ALIVE_MS / TURNS;
    this.#timer = clock.setTimer(KEEP_ALIVE_MS / TURNS, () => this.#lookAfter());
  }

  #lookAfter(): void {
    const { clock, close, sign, roundOver, isNeeded } = this.#parts;
    const nowMs = clock.monotonic();
    this.#forgiveStall(nowMs - this.#dueAtMs);
    this.#turn = (this.#turn + 1) % TURNS;
    for (const agent of [...(this.#turns[this.#turn] ?? [])]) {
      if (nowMs - agent.heardAtMs > DISPATCHER_PATIENCE_MS) close(agent, "nothing was heard for too long");
      else if (agent.use === "session") sign(agent);
    }
    if (this.#turn === 0) roundOver(nowMs);
    if (this.#links > 0 || isNeeded()) this.#lookSoon();
    else this.#timer = undefined;
  }

  /** While this process stood still it heard nobody: what was said meanwhile is still to be read. */
  #forgiveStall(lateMs: number): void {
    if (lateMs < STALL_MS) return;
    for (const turn of this.#turns) for (const agent of turn) agent.heardAtMs += lateMs;
  }
}
