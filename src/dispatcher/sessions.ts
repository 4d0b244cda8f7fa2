/** One session for each node: the run of its agent, over the newest link that it dialed. */
import type { Mux } from "../agent/frames/streams/mux.ts";
import { ApiError } from "../model/errors.ts";
import type { AgentLink } from "./agent-link.ts";
import type { Session } from "./session.ts";

/** A session whose agent has been away for so long is forgotten: its calls are no longer under way. */
const FORGET_MS = 60_000;

export interface SessionsParts {
  readonly close: (agent: AgentLink, why: string) => void;
  /** The link has turned out to carry a session, which is told what there is to know. */
  readonly welcome: (agent: AgentLink) => void;
  readonly create: (agent: AgentLink, id: string) => Session;
}

export class Sessions {
  readonly #parts: SessionsParts;
  readonly #byNode = new Map<string, Session>();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#byNode.size;
  }

  get(nodeName: string): Session | undefined {
    return this.#byNode.get(nodeName);
  }

  values(): Iterable<Session> {
    return this.#byNode.values();
  }

  clear(): void {
    this.#byNode.clear();
  }

  /** The newest link of a node is the one that counts, and with it the run of the agent that speaks on it. */
  take(agent: AgentLink, id: string): Session | undefined {
    const { close, welcome, create } = this.#parts;
    const present = this.#byNode.get(agent.node);
    if (present?.link === agent && present.id === id) return present;
    if (present && present.link.order >= agent.order) {
      close(agent, "this node has a newer link");
      return undefined;
    }
    if (present) close(present.link, "this node has a newer link");
    agent.use = "session";
    welcome(agent);
    if (present?.id === id) {
      present.moveTo(agent);
      return present;
    }
    const session = create(agent, id);
    this.#byNode.set(agent.node, session);
    return session;
  }

  muxOf(nodeName: string): Mux {
    const link = this.#byNode.get(nodeName)?.link;
    if (link?.isOpen) return link.mux;
    const message = `node "${nodeName}" is not connected at present, so its logs, commands and ports cannot be reached`;
    throw new ApiError("Unavailable", message, { retryAfterSeconds: 2 });
  }

  forgetOld(nowMs: number): void {
    for (const [node, { link }] of this.#byNode) {
      if (!link.isOpen && nowMs - link.heardAtMs > FORGET_MS) this.#byNode.delete(node);
    }
  }
}
