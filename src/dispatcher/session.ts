import type { Call } from "../agent/frames/call.ts";
import { MOST_CALLS } from "../agent/frames/limits.ts";
import { doneFrame, refusedFrame } from "../agent/frames/to-agent.ts";
import type { ToDispatcher } from "../agent/frames/to-dispatcher.ts";
import { ApiError } from "../model/errors.ts";
import type { Log } from "../seams/log.ts";
import type { AgentLink, NetworkTold } from "./agent-link.ts";
import type { NodeCalls } from "./node-calls.ts";

type CallFrame = Extract<ToDispatcher, { type: "call" }>;

export interface SessionOptions {
  readonly id: string;
  readonly calls: NodeCalls;
  readonly link: AgentLink;
  readonly log: Log;
  /** Absent: nothing is told of the network. */
  readonly network: NetworkTold | undefined;
}

/**
 * One run of one agent, over all the links that it dials one after another. Each of its calls is carried out once: the
 * answer is kept, and given again, until the agent says that it waits for it no more.
 */
export class Session {
  readonly id: string;
  readonly calls: NodeCalls;
  readonly #log: Log;
  readonly #network: NetworkTold | undefined;
  /** By number; undefined while it is being carried out. */
  readonly #answers = new Map<number, string | undefined>();
  #floor = 0;
  #link: AgentLink;

  constructor({ id, calls, link, log, network }: SessionOptions) {
    this.id = id;
    this.calls = calls;
    this.#link = link;
    this.#log = log;
    this.#network = network;
  }

  /** The newest; it may be closed by now. */
  get link(): AgentLink {
    return this.#link;
  }

  moveTo(link: AgentLink): void {
    this.#link = link;
  }

  /** `isAllowed` is asked once for each call that is to be carried out. */
  call({ id, floor, call }: CallFrame, isAllowed: () => boolean): void {
    this.#forgetBelow(floor);
    // Given up by the agent, which may have said something newer since.
    if (id < this.#floor) return;
    if (this.#answers.has(id)) {
      const answer = this.#answers.get(id);
      if (answer !== undefined) this.#link.send(answer);
    } else if (this.#answers.size >= MOST_CALLS) {
      this.#link.send(refusedFrame(id, "TooManyRequests", `more than ${MOST_CALLS} calls at once`));
    } else if (!isAllowed()) {
      this.#link.send(refusedFrame(id, "TooManyRequests", "more than one node may say in so short a time"));
    } else {
      this.#answers.set(id, undefined);
      void this.#answer(id, call);
    }
  }

  async #answer(id: number, call: Call): Promise<void> {
    let answer: string;
    try {
      answer = doneFrame(id, await this.#carryOut(id, call));
    } catch (error) {
      answer = this.#refusal(id, call, error);
    }
    if (!this.#answers.has(id)) return;
    this.#answers.set(id, answer);
    this.#link.send(answer);
  }

  async #carryOut(id: number, call: Call): Promise<unknown> {
    if (call.method === "network") return this.#link.openNetwork(call.stream, call, this.#told());
    if (call.method !== "watch") return this.calls.carryOut(id, call);
    this.calls.checkOwn(call.node, "watch");
    return this.#link.openFeed(call.stream);
  }

  #told(): NetworkTold {
    if (this.#network) return this.#network;
    throw new ApiError("NotFound", "this control plane tells nothing of the network");
  }

  #refusal(id: number, { method }: Call, error: unknown): string {
    if (!(error instanceof ApiError)) {
      this.#log.error("an agent's call met a bug", { method, error: error instanceof Error ? error.stack : error });
      return refusedFrame(id, "ServerError", "the control plane failed to carry it out");
    }
    if (error.reason === "Forbidden") this.#log.warn("an agent's call was refused", { method, why: error.message });
    return refusedFrame(id, error.reason, error.message);
  }

  #forgetBelow(floor: number): void {
    if (floor <= this.#floor) return;
    this.#floor = floor;
    for (const id of this.#answers.keys()) if (id < floor) this.#answers.delete(id);
  }
}
