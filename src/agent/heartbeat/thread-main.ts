/**
 * The thread that says "I live": it has a loop of its own and touches neither disk nor engine, so that a host that waits
 * for either, or whose agent does, is not taken for dead. What it decides is in heartbeat-loop.ts and health.ts.
 */
import { parentPort, workerData } from "node:worker_threads";
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

const port = parentPort;
assert(port, "this is a thread");
const { beater, signs: buffer } = workerData as ThreadData;
const clock = new SystemClock();
const offsetMs = sharedOffset(clock);
const signs = new SharedSigns(buffer);
const waiting = new Map<number, PromiseWithResolvers<HeartbeatAnswer>>();

const say = (message: FromThread) => port.postMessage(message);

port.on("message", (message: ToThread) => {
  const call = waiting.get(message.id);
  waiting.delete(message.id);
  if (message.type === "answer") call?.resolve(message.answer);
  else call?.reject(new LinkError(message.message, message.refused));
});

new HeartbeatLoop({
  beater,
  clock,
  send: (beat) => sendByAgent(beat),
  health: () => {
    const memory = hostMemoryWords();
    return healthOf({ ...signs.read(offsetMs), ...(memory === undefined ? {} : { memory }) }, clock.monotonic());
  },
  heard: (news) => say({ type: "news", news: { ...news, sentAtMs: news.sentAtMs + offsetMs } }),
}).start();

// Its timers do not keep a thread alive; the port does.
port.ref();

function sendByAgent(beat: Heartbeat): Promise<HeartbeatAnswer> {
  const [oldest] = waiting.keys();
  if (oldest !== undefined && waiting.size >= MOST_WAITING) {
    waiting.get(oldest)?.reject(new LinkError("the agent does not move", false));
    waiting.delete(oldest);
  }
  const call = Promise.withResolvers<HeartbeatAnswer>();
  waiting.set(beat.sequence, call);
  say({ type: "beat", id: beat.sequence, beat });
  return call.promise;
}
