import type { NetworkEntry, NetworkNews } from "../../model/network.ts";
import type { NetworkFrame } from "../frames/to-agent.ts";
import { OrderedStream } from "./ordered-stream.ts";

/** One stream of what is told of the network: puts the parts of "all" together. */
export function networkStream(number: number, deliver: (news: NetworkNews) => void): OrderedStream<NetworkFrame> {
  let parts: NetworkEntry[] = [];
  return new OrderedStream(number, ({ part, revision, entries, removed }) => {
    if (part === "settled") deliver({ type: "settled", revision });
    else if (part === "changed") deliver({ type: "changed", revision, entries, removed });
    else {
      for (const entry of entries) parts.push(entry);
      if (part === "more") return;
      const all = parts;
      parts = [];
      deliver({ type: "all", revision, entries: all });
    }
  });
}
