import type { Pod } from "../../model/pod.ts";
import type { Assignments } from "../control.ts";
import type { PodsFrame } from "../frames/to-agent.ts";
import { OrderedStream } from "./ordered-stream.ts";

/** One stream of assignments: puts the parts of "all" together. */
export function podStream(number: number, deliver: (assignments: Assignments) => void): OrderedStream<PodsFrame> {
  let parts: Pod[] = [];
  return new OrderedStream(number, ({ part, pods, removed }) => {
    if (part === "changed") {
      deliver({ type: "changed", pods, removed });
      return;
    }
    for (const pod of pods) parts.push(pod);
    if (part === "more") return;
    const all = parts;
    parts = [];
    deliver({ type: "all", pods: all, ...(part === "kept" ? { keepsUnknown: true } : {}) });
  });
}
