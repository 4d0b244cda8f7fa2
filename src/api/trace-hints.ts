/** What users have in hand when they trace: URLs that `styr ps` prints, and service ports that `styr services` prints. */
import { parseAddress } from "../lib/subnet.ts";
import { ApiError } from "../model/errors.ts";
import type { TraceHop } from "../model/network-questions.ts";
import { nodes } from "../model/node.ts";
import type { Pod } from "../model/pod.ts";
import type { StyrApiContext } from "./context.ts";
import { servicePortsOf } from "./service-rows.ts";

const URL_TEXT = /^https?:\/\//i;

/** `http://10.0.0.3:31993/` as `10.0.0.3:31993`; what is no URL as it is. */
export function withoutUrl({ store }: Pick<StyrApiContext, "store">, text: string, forms: string): string {
  if (!URL_TEXT.test(text) || !URL.canParse(text)) return text;
  const { hostname, port, protocol } = new URL(text);
  const isHost = parseAddress(hostname) !== undefined || store.get(nodes, hostname) !== undefined;
  if (isHost) return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  throw new ApiError(
    "BadRequest",
    `${JSON.stringify(text.slice(0, 80))} leads in at the way in, if anywhere: styr routes says what is behind it, and that can be traced. ${forms}`,
  );
}

/** Nothing listens at a pod at what is its service port: that is at every host. */
export function withServicePort(
  { store, publishers = [] }: Pick<StyrApiContext, "store" | "publishers">,
  hop: TraceHop,
  pod: Pod | undefined,
  port: number | undefined,
): TraceHop {
  if (hop.what !== "listens" || hop.isOk !== false || pod === undefined || port === undefined) return hop;
  if (!servicePortsOf(store, publishers, pod).includes(port)) return hop;
  const advice = `${port} is its service port, which is at every host, and not at its pods: styr network trace FROM NODE:${port}`;
  return { ...hop, advice };
}
