/** What iptables' rules do with a packet that is passed on, as far as they can be read. Pure. */
import { holds, parseAddress, parseSubnet } from "../../lib/subnet.ts";
import type { ShownTable } from "./shown-table.ts";

export interface PassingPacket {
  readonly from: string;
  readonly to: string;
  /** The devices by which it comes and goes. */
  readonly in: string;
  readonly out: string;
  /** The first of a connection, or a later one. */
  readonly state: "NEW" | "ESTABLISHED";
}

/** `rule`: which one stops it, as `iptables -S` says it. */
export type Passage = { readonly isStopped: false } | { readonly isStopped: true; readonly rule: string };

const PASSES: Passage = { isStopped: false };
/** Chains lead no deeper than this; the kernel refuses circles. */
const DEEPEST = 16;

/** Where a rule is asked about that is not understood, the packet is taken to pass: only what is sure is called stopped. */
export function passageOf(table: ShownTable, packet: PassingPacket): Passage {
  const end = walk(table, "FORWARD", packet, DEEPEST);
  if (end === "unsure") return PASSES;
  if (end !== "returned") return end;
  const policy = table.policies.get("FORWARD") ?? "ACCEPT";
  return policy === "ACCEPT" ? PASSES : { isStopped: true, rule: `-P FORWARD ${policy}` };
}

/** "unsure": some rule might have let it pass. */
type End = Passage | "returned" | "unsure";

function walk(table: ShownTable, chain: string, packet: PassingPacket, deepest: number): End {
  let isUnsure = false;
  for (const rule of table.chains.get(chain) ?? []) {
    const { target = "", matches, isGoto } = readRule(rule, packet);
    if (matches === "no") continue;
    if (matches === "unknown") {
      // A rule that may drop it is somebody's wish for few; one that may accept it makes all that follows unsure.
      isUnsure ||= target === "ACCEPT" || target === "RETURN" || table.chains.has(target);
      continue;
    }
    const end = endOf(table, { chain, rule, target }, packet, deepest);
    if (end === "unsure") isUnsure = true;
    else if (end !== "returned") return end === PASSES || !isUnsure ? end : "unsure";
    if (target === "RETURN" || isGoto) break;
  }
  return isUnsure ? "unsure" : "returned";
}

interface Led {
  readonly chain: string;
  readonly rule: string;
  readonly target: string;
}

function endOf(table: ShownTable, { chain, rule, target }: Led, packet: PassingPacket, deepest: number): End {
  if (target === "ACCEPT") return PASSES;
  if (target === "DROP" || target === "REJECT") return { isStopped: true, rule: `-A ${chain} ${rule}` };
  if (table.chains.has(target) && deepest > 0) return walk(table, target, packet, deepest - 1);
  // LOG, MARK and the like let go on.
  return "returned";
}

type Matches = "yes" | "no" | "unknown";

interface ReadRule {
  readonly target?: string;
  readonly isGoto: boolean;
  readonly matches: Matches;
}

function readRule(rule: string, packet: PassingPacket): ReadRule {
  const words = rule.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const at = words.findIndex((word) => word === "-j" || word === "-g");
  const target = at < 0 ? {} : { target: words[at + 1] ?? "" };
  const conditions = conditionsOf(at < 0 ? words : words.slice(0, at));
  const each = conditions.map(({ name, value, isNot }) => {
    const is = matchOf(name, value, packet);
    return is === undefined ? "unknown" : is !== isNot ? "yes" : "no";
  });
  const matches = each.includes("no") ? "no" : each.includes("unknown") ? "unknown" : "yes";
  return { ...target, isGoto: words[at] === "-g", matches };
}

interface Condition {
  readonly name: string;
  readonly value: string;
  readonly isNot: boolean;
}

function conditionsOf(words: readonly string[]): readonly Condition[] {
  const found: Condition[] = [];
  let isNot = false;
  for (const [at, word] of words.entries()) {
    if (word === "!") isNot = true;
    else if (word.startsWith("-")) {
      const next = words[at + 1];
      found.push({ name: word, value: next === undefined || next.startsWith("-") ? "" : next, isNot });
      isNot = false;
    }
  }
  return found;
}

/** Undefined: it is not understood. */
function matchOf(name: string, value: string, packet: PassingPacket): boolean | undefined {
  switch (name) {
    case "-s":
      return isIn(packet.from, value);
    case "-d":
      return isIn(packet.to, value);
    case "-i":
      return isDevice(packet.in, value);
    case "-o":
      return isDevice(packet.out, value);
    case "-p":
      return value === "tcp" || value === "6" || value === "all";
    // Only says which conditions follow.
    case "-m":
    case "--comment":
      return true;
    case "--ctstate":
    case "--state":
      return value.split(",").includes(packet.state);
    default:
      return undefined;
  }
}

function isIn(address: string, range: string): boolean | undefined {
  const [value, subnet] = [parseAddress(address), parseSubnet(range.includes("/") ? range : `${range}/32`)];
  return value === undefined || subnet === undefined ? undefined : holds(subnet, value);
}

/** `veth+`: all that begin so. */
function isDevice(device: string, value: string): boolean {
  return value.endsWith("+") ? device.startsWith(value.slice(0, -1)) : device === value;
}
