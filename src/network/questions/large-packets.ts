/**
 * Whether packets as large as a way is said to take come through to another node and back. On a link of smaller MTU, where nobody says that
 * a packet was too large, connections begin, small answers come, and large ones hang. Asked when somebody looks, not all the time.
 */
import type { TooLarge } from "../../model/network-report.ts";
import type { Echo, HostView } from "./host-view.ts";

export interface LargeWay {
  /** Addresses of both ends among their pods. */
  readonly from: string;
  readonly to: string;
  /** What it is said to take. */
  readonly bytes: number;
}

/** Of links that there are: PPPoE, tunnels of all kinds, clouds, the least that IPv6 and IPv4 ask for; first of large frames. */
const SIZES: readonly number[] = [8900, 4000, 1500, 1492, 1480, 1460, 1450, 1420, 1400, 1370, 1320, 1280, 1000, 576];
/** One may be lost, or dropped by who counts pings. */
const TRIES = 5;
const SMALLER_TRIES = 2;

/** Undefined: nobody can say, as the other host answers no pings, or this one has no `ping` that can ask. */
export async function largePackets(view: HostView, way: LargeWay): Promise<"pass" | TooLarge | undefined> {
  const echo = (bytes: number, tries: number) => view.echo({ ...way, bytes, tries });
  const first = await echo(way.bytes, 1);
  if (first !== "silent") return first === undefined ? undefined : "pass";
  const sizes = SIZES.filter((bytes) => bytes < way.bytes);
  const [again, ...smaller] = await Promise.all([
    echo(way.bytes, TRIES),
    ...sizes.map((bytes) => echo(bytes, SMALLER_TRIES)),
  ]);
  if (again !== "silent") return again === undefined ? undefined : "pass";
  return judged(way.bytes, sizes, smaller);
}

/** `sizes` from the largest. */
function judged(bytes: number, sizes: readonly number[], echoes: readonly (Echo | undefined)[]): TooLarge | undefined {
  const most = echoes.findIndex((echo) => echo !== undefined && echo !== "silent");
  const passing = sizes[most];
  const below = echoes.slice(most + 1);
  // It is not their size that some of these are lost for.
  if (passing === undefined || below.filter((echo) => echo === "silent").length * 3 > below.length) return undefined;
  return { bytes, passing };
}
