import type { NetworkNews } from "../../model/network.ts";
import type { NetworkWish } from "../frames/call.ts";
import type { NetworkFrame } from "../frames/to-agent.ts";
import { networkStream } from "./network-stream.ts";
import { StreamWatch, type WatchOptions } from "./stream-watch.ts";

export type NetworkWatch = StreamWatch<NetworkFrame, NetworkNews>;

/** Opened on a link only once the other side has said that it tells of the network: an older one would close the link. `has` is asked for whenever it is opened. */
export function networkWatch(
  options: WatchOptions,
  has: () => string | undefined,
  listener: (news: NetworkNews) => void,
): NetworkWatch {
  const call = (stream: number) => {
    const known = has();
    const wish: NetworkWish = { reads: "zstd", ...(known === undefined ? {} : { has: known }) };
    return { method: "network", stream, ...wish } as const;
  };
  return new StreamWatch(options, { what: "the network", call, stream: networkStream }, listener);
}
