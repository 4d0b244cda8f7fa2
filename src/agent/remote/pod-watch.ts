import type { Assignments } from "../control.ts";
import type { PodsFrame } from "../frames/to-agent.ts";
import { podStream } from "./pod-stream.ts";
import { StreamWatch, type WatchOptions } from "./stream-watch.ts";

export type PodWatch = StreamWatch<PodsFrame, Assignments>;

export function podWatch(
  options: WatchOptions & { readonly node: string },
  listener: (assignments: Assignments) => void,
): PodWatch {
  const { node } = options;
  return new StreamWatch(
    options,
    { what: "the pods of this node", call: (stream) => ({ method: "watch", stream, node }), stream: podStream },
    listener,
  );
}
