/**
 * The thread that says "I live": it has a loop of its own and touches neither disk nor engine, so that a host that waits
 * for either is not taken for dead. What it decides is in heartbeat-loop.ts and health.ts. While control plane and agent
 * are one process, its heartbeats go through the agent's own thread, which the control plane needs anyway; a control
 * plane on another host is reached from here, over a link of the thread's own (remote/heartbeat-link.ts).
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import type { Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import { SystemClock } from "../../seams/clock.ts";
import { LinkError } from "../../seams/link.ts";
import { healthOf } from "./health.ts";
import { HeartbeatLoop } from "./heartbeat-loop.ts";
import { hostMemoryWords } from "./memory.ts";
import { SharedSigns } from "./shared-signs.ts";
import { type FromThread, sharedOffset, type ThreadData, type ToThread } from "./thread-messages.ts";

/** Heartbeats that wait for their answer; the agent's own thread stands still when there are more. */
const MOST_WAITING = 60;

/** The agent's own thread, which carries the heartbeats to the control plane and brings the answers. */
class AgentPort {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, PromiseWithResolvers<HeartbeatAnswer>>();

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (message: ToThread) => this.#answered(message));
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

  #answered(message: ToThread): void {
    const call = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "answer") call?.resolve(message.answer);
    else call?.reject(new LinkError(message.message, message.refused));
  }
}

function main({ beater, signs: buffer }: ThreadData, port: AgentPort): void {
  const clock = new SystemClock();
  const offsetMs = sharedOffset(clock);
  const signs = new SharedSigns(buffer);
  new HeartbeatLoop({
    beater,
    clock,
    send: (beat) => port.send(beat),
    health: () => {
      const memory = hostMemoryWords();
      return healthOf({ ...signs.read(offsetMs), ...(memory === undefined ? {} : { memory }) }, clock.monotonic());
    },
    heard: (news) => port.say({ type: "news", news: { ...news, sentAtMs: news.sentAtMs + offsetMs } }),
  }).start();
}

assert(parentPort, "this is a thread");
main(workerData as ThreadData, new AgentPort(parentPort));
