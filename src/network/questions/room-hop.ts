import type { TraceHop } from "../../model/network-questions.ts";
import type { PartReport } from "../plane/network-part.ts";
import { fullnessWords, isFull } from "../pod-network/connections.ts";

/** Whether this host takes new connections at all. Undefined: its table of them has room, or nobody has looked. */
export function roomHop(at: string, parts: readonly Pick<PartReport, "facts">[]): TraceHop | undefined {
  const facts = parts.find(({ facts }) => facts?.["most connections"] !== undefined)?.facts;
  const connections = { count: Number(facts?.connections ?? 0), max: Number(facts?.["most connections"] ?? 0) };
  if (connections.max === 0) return undefined;
  const said = fullnessWords(connections);
  if (said === undefined) return undefined;
  return { at, what: "connections", ...(isFull(connections) ? { isOk: false } : {}), ...said };
}
