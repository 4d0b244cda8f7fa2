import type { MessagePort } from "node:worker_threads";
import type { Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import { LinkError } from "../../seams/link.ts";
import type { FromThread, ToThread, Way } from "./thread-messages.ts";

/** Heartbeats that wait for their answer; the agent's own thread stands still when there are more. */
const MOST_WAITING = 60;

/** The agent's own thread, which carries the heartbeats to the control plane and brings the answers. */
export class AgentPort {
  /** The way to the control plane has changed. */
  onWay: (way: Way) => void = () => {};
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, PromiseWithResolvers<HeartbeatAnswer>>();

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (message: ToThread) => this.#heard(message));
    // Timers of a thread do not keep it alive; the port does.
    port.ref();
  }

  say(message: FromThread): void {
    this.#port.postMessage(message);
  }

  send(beat: Heartbeat): Promise<HeartbeatAnswer> {
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= MOST_WAITING) {
      this.#waiting.get(oldest)?.reject(new LinkError("the agent does not move", false));
      this.#waiting.delete(oldest);
    }
    const call = Promise.withResolvers<HeartbeatAnswer>();
    this.#waiting.set(beat.sequence, call);
    this.say({ type: "beat", id: beat.sequence, beat });
    return call.promise;
  }

  #heard(message: ToThread): void {
    if (message.type === "way") {
      this.onWay(message.way);
      return;
    }
    const call = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "answer") call?.resolve(message.answer);
    else call?.reject(new LinkError(message.message, message.refused));
  }
}
