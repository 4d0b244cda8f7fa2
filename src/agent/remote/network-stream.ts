import type { NetworkEntry, NetworkNews } from "../../model/network.ts";
import { FrameError } from "../frames/shape.ts";
import type { NetworkFrame } from "../frames/to-agent.ts";
import { OrderedStream } from "./ordered-stream.ts";

/** Of everything together, unpacked: some sixteen times what 1,000 Services and 15,000 pods make. */
const MOST_CHARS = 256 * 1024 * 1024;

/** One stream of what is told of the network: puts the parts of "all" together. Throws FrameError when they are more than any cluster's. */
export function networkStream(number: number, deliver: (news: NetworkNews) => void): OrderedStream<NetworkFrame> {
  let [parts, chars]: [NetworkEntry[], number] = [[], 0];
  return new OrderedStream(number, ({ part, revision, entries, removed, kept, size }) => {
    if (part === "settled") deliver({ type: "settled", revision });
    else if (part === "changed") deliver({ type: "changed", revision, entries, removed });
    else {
      chars += size;
      if (chars > MOST_CHARS) throw new FrameError(`more than ${MOST_CHARS} characters of the network`);
      for (const entry of entries) parts.push(entry);
      if (part === "more") return;
      const all = parts;
      [parts, chars] = [[], 0];
      deliver({ type: "all", revision, entries: all, ...(kept === undefined ? {} : { kept }) });
    }
  });
}
