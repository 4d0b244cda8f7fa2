/**
 * The thread that says "I live": it has a loop of its own and touches neither disk nor engine, so that a host that waits
 * for either is not taken for dead. What it decides is in heartbeat-loop.ts and health.ts. While control plane and agent
 * are one process, its heartbeats go through the agent's own thread, which the control plane needs anyway; a control
 * plane on another host is reached from here, over a link of the thread's own (remote/heartbeat-link.ts).
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import type { Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import { type Clock, SystemClock } from "../../seams/clock.ts";
import { AgentPort } from "./agent-port.ts";
import { healthOf } from "./health.ts";
import { HeartbeatLoop } from "./heartbeat-loop.ts";
import { hostMemoryWords } from "./memory.ts";
import { SharedSigns } from "./shared-signs.ts";
import { sharedOffset, type ThreadData, type Way } from "./thread-messages.ts";

function main({ beater, signs: buffer, way }: ThreadData, port: AgentPort): void {
  const clock = new SystemClock();
  const offsetMs = sharedOffset(clock);
  const signs = new SharedSigns(buffer);
  new HeartbeatLoop({
    beater,
    clock,
    send: way === undefined ? (beat) => port.send(beat) : overOwnLink(way, port, clock),
    health: () => {
      const memory = hostMemoryWords();
      return healthOf({ ...signs.read(offsetMs), ...(memory === undefined ? {} : { memory }) }, clock.monotonic());
    },
    heard: (news) => port.say({ type: "news", news: { ...news, sentAtMs: news.sentAtMs + offsetMs } }),
  }).start();
}

/** What it needs of the network is loaded only here. */
function overOwnLink(way: Way, port: AgentPort, clock: Clock): (beat: Heartbeat) => Promise<HeartbeatAnswer> {
  const link = import("./thread-link.ts").then(({ ThreadLink }) => new ThreadLink(way, clock));
  port.onWay = (changed) => void link.then((it) => it.change(changed));
  return async (beat) => (await link).send(beat);
}

assert(parentPort, "this is a thread");
main(workerData as ThreadData, new AgentPort(parentPort));
