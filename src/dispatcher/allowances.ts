/** How much of what nodes say is listened to: asked before anything is read. Nothing is lost by it: what matters is said again. */
import type { Call } from "../agent/frames/call.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { AgentLink } from "./agent-link.ts";
import { Allowance } from "./allowance.ts";

/** What even the shortest frame costs. */
const FRAME_COSTS_CHARS = 256;
const MOST_BEAT_CHARS = 4 * 1024;

export class Allowances {
  readonly #clock: Clock;
  readonly #log: Log;
  /** By node, over all its links. */
  readonly #allowances = new Map<string, Allowance>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  text(agent: AgentLink, text: string): boolean {
    const nowMs = this.#clock.monotonic();
    const allowance = this.#of(agent);
    const isBeat = text.startsWith('["b"') && text.length <= MOST_BEAT_CHARS;
    if (isBeat ? allowance.beat(nowMs) : allowance.chars(FRAME_COSTS_CHARS + text.length, nowMs)) return true;
    if (!agent.isLoud) this.#log.warn("an agent says more than is listened to", { node: agent.node });
    agent.isLoud = true;
    return false;
  }

  bytes(agent: AgentLink, count: number, nowMs: number): boolean {
    return this.#of(agent).chars(FRAME_COSTS_CHARS + count, nowMs);
  }

  call(agent: AgentLink, call: Call, nowMs: number): boolean {
    return this.#of(agent).items(itemsOf(call), nowMs);
  }

  forgetOld(nowMs: number): void {
    for (const [node, allowance] of this.#allowances) if (allowance.isFull(nowMs)) this.#allowances.delete(node);
  }

  #of({ node }: AgentLink): Allowance {
    const known = this.#allowances.get(node);
    if (known) return known;
    const allowance = new Allowance(this.#clock.monotonic());
    this.#allowances.set(node, allowance);
    return allowance;
  }
}

function itemsOf(call: Call): number {
  return call.method === "report" ? 1 + call.reports.length + call.events.length : 1;
}
