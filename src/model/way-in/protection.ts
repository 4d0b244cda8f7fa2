/**
 * What of a route's labels or annotations keeps somebody out. A route is served with all of it or not at all: who writes such a thing has
 * been promised that others do not come in. Pure.
 */
import { isIP } from "node:net";
import type { RouteEntry } from "../network.ts";

/** Whether not everybody may come in. Where such a route cannot be served, its path is closed: it is not left to the route above it. */
export function keepsOut({ options = {}, unguarded = [] }: Pick<RouteEntry, "options" | "unguarded">): boolean {
  const { auth, allowFrom, denyFrom } = options;
  return unguarded.length > 0 || [auth, allowFrom, denyFrom].some((each) => each !== undefined);
}

const MOST_RANGES = 500;

/** Words of a piece of configuration (nginx's, HAProxy's) that turns requests away; no headers, such as Authorization. */
const TURNS_AWAY =
  /(?<![\w-])(?:deny|reject|tarpit|silent-drop|block|auth(?:_\w+)?|limit_\w+|satisfy|modsecurity\w*|return\s+4\d\d)(?![\w-])/i;

export function turnsAway(piece: string): boolean {
  return TURNS_AWAY.test(piece);
}

/** Addresses and ranges as they are listed in one text; undefined: nothing was said. Whether they are any: rangesProblem. */
export function rangesOf(text: string | undefined): readonly string[] | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  return text.split(/[\s,]+/).filter((each) => each !== "");
}

export function rangesProblem(what: string, ranges: readonly string[] | undefined): string | undefined {
  if (ranges === undefined) return undefined;
  if (ranges.length === 0 || ranges.length > MOST_RANGES) return `${what}: 1 to ${MOST_RANGES} addresses or ranges`;
  const wrong = ranges.find((each) => !isRange(each));
  return wrong === undefined
    ? undefined
    : `${what}: ${JSON.stringify(wrong.slice(0, 80))} is no address, and no range such as 10.0.0.0/8`;
}

function isRange(text: string): boolean {
  const [address = "", length, ...more] = text.split("/");
  // Zones of IPv6 (`fe80::1%eth0`) mean nothing to HAProxy.
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0 || more.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128));
}

/** Why a route is not served of which these are not done. */
export function openProblem(undone: readonly string[] | undefined): string | undefined {
  if (undone === undefined || undone.length === 0) return undefined;
  return `not served: without ${undone.join(", ")}, which ${undone.length === 1 ? "is" : "are"} not done, it would be open to more than it should be`;
}
