import { AGENT_PATH, AGENT_PROTOCOL, type AgentPeer } from "../../dispatcher/agent-api.ts";
import { ApiError } from "../../model/errors.ts";
import { type TlsMaterial, WebSocketDialer } from "../../network/link/web-socket-dialer.ts";
import type { Clock } from "../../seams/clock.ts";
import { type Link, LinkError, type LinkListener } from "../../seams/link.ts";
import { LEADER_PATIENCE_MS, type LeaderWatch } from "./leader-watch.ts";

export interface RelayOptions {
  readonly leaders: LeaderWatch;
  readonly clock: Clock;
  material(): TlsMaterial;
}

/** One side that does not read what the other sends ends both: the agent dials again, and nothing of what it says is lost. */
const MOST_BUFFERED_BYTES = 16 * 1024 * 1024;

/**
 * A link of this server to the leader for one link of an agent; frames go through as they are. When the leader changes both
 * close, and the agent dials again. Throws ApiError to refuse the agent.
 */
export async function relayTo(peer: AgentPeer, options: RelayOptions): Promise<(link: Link) => LinkListener> {
  const { leaders, clock, material } = options;
  const patience = new AbortController();
  const leader = await leaders.wait(patience.signal);
  const query = new URLSearchParams({ node: peer.nodeName, ...(peer.version ? { version: peer.version } : {}) });
  const path = `${AGENT_PATH}?${query}`;
  const dialer = new WebSocketDialer({ server: leader.url, path, protocol: AGENT_PROTOCOL, clock, material });
  const relay = new Relay();
  const timer = clock.setTimer(LEADER_PATIENCE_MS, () => patience.abort(new LinkError("it does not answer", false)));
  try {
    relay.begin(await dialer.dial(relay, patience.signal), leaders, leader.url);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    throw new ApiError(
      "Unavailable",
      `the way to the server that leads, ${leader.name}, is not open: ${error.message}`,
      {
        retryAfterSeconds: 1,
      },
    );
  } finally {
    timer.cancel();
  }
  return (link) => relay.take(link);
}

/** The listener of the leader's side; what it hears before the agent's side is there waits. */
class Relay implements LinkListener {
  #up: Link | undefined;
  #down: Link | undefined;
  #early: (string | Uint8Array)[] = [];
  #ended: string | undefined;
  #forget = () => {};

  begin(up: Link, leaders: LeaderWatch, url: string): void {
    this.#up = up;
    this.#forget = leaders.onChange(() => {
      if (leaders.leader?.url !== url) this.#end("another server leads now");
    });
    if (leaders.leader?.url !== url) this.#end("another server leads now");
  }

  take(down: Link): LinkListener {
    this.#down = down;
    for (const frame of this.#early) send(down, frame);
    this.#early = [];
    if (this.#ended !== undefined) down.close(this.#ended);
    return {
      frame: (text) => this.#toLeader(text),
      bytes: (frame) => this.#toLeader(frame),
      closed: (reason) => this.#end(reason),
    };
  }

  frame(text: string): void {
    this.#toAgent(text);
  }

  bytes(frame: Uint8Array): void {
    this.#toAgent(frame);
  }

  closed(reason: string): void {
    this.#end(reason);
  }

  #toAgent(frame: string | Uint8Array): void {
    if (!this.#down) this.#early.push(frame);
    else if (this.#ended === undefined) this.#pass(this.#down, frame);
  }

  #toLeader(frame: string | Uint8Array): void {
    if (this.#up && this.#ended === undefined) this.#pass(this.#up, frame);
  }

  #pass(link: Link, frame: string | Uint8Array): void {
    send(link, frame);
    if ((link.bufferedBytes ?? 0) > MOST_BUFFERED_BYTES) this.#end("what is sent is not read");
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#forget();
    this.#up?.close(reason);
    this.#down?.close(reason);
  }
}

function send(link: Link, frame: string | Uint8Array): void {
  if (typeof frame === "string") link.send(frame);
  else link.sendBytes?.(frame);
}
