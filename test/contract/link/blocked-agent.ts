/** A process for heartbeats.test.ts: an agent whose own thread stands still for a while. What it needs comes as JSON in argv. */
import { LinkHeartbeats } from "../../../src/agent/heartbeat/link-heartbeats.ts";
import type { Way } from "../../../src/agent/heartbeat/thread-messages.ts";
import { SystemClock } from "../../../src/seams/clock.ts";

const { way, stillMs } = JSON.parse(process.argv[2] ?? "{}") as { readonly way: Way; readonly stillMs: number };
const heartbeats = new LinkHeartbeats(way, new SystemClock());
const clock = new SystemClock();
heartbeats.show({ tickAtMs: clock.monotonic() });
heartbeats.start({ node: "n1", bootId: "b1", session: "s1" }, () => {});
// A thread begins with the help of this one.
setTimeout(() => {
  process.stdout.write("still\n");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stillMs);
  process.stdout.write("moves\n");
  heartbeats.show({ tickAtMs: clock.monotonic() });
  setTimeout(() => process.exit(0), 2_500);
}, 2_000);
