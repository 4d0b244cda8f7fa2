import type { PeerLink } from "./network-report.ts";

/** Of a cluster of many nodes nobody reads every pair: those that are otherwise than they should be, and the others counted. */
export interface PeerSummary {
  readonly peers: number;
  readonly unreachable: number;
  /** How many are reached, or would be, by which mode. */
  readonly modes: Readonly<Record<string, number>>;
  readonly slowestMs?: number;
  /** Answers older than OLD_ANSWER_MS, and how old the oldest is. */
  readonly old: number;
  readonly oldestMs?: number;
}

/** A node that is one of few is asked every five seconds: what is older than two rounds is said to be. */
export const OLD_ANSWER_MS = 10_000;
/** Of one node's, when half of all others are cut off. */
const MOST_NAMED = 20;

export function isOld({ ageMs = 0 }: PeerLink): boolean {
  return ageMs >= OLD_ANSWER_MS;
}

export function briefly(all: readonly PeerLink[]): {
  readonly peers: readonly PeerLink[];
  readonly summary: PeerSummary;
} {
  return { peers: worthAWord(all), summary: summaryOf(all) };
}

export function summaryOf(all: readonly PeerLink[]): PeerSummary {
  const modes: Record<string, number> = {};
  for (const { mode } of all) modes[mode] = (modes[mode] ?? 0) + 1;
  const old = all.filter(isOld);
  const [slowestMs, oldestMs] = [most(all.map(({ rttMs }) => rttMs)), most(old.map(({ ageMs }) => ageMs))];
  return {
    ...{ peers: all.length, modes, old: old.length },
    unreachable: all.filter(({ state }) => state === "unreachable").length,
    ...(slowestMs === undefined ? {} : { slowestMs }),
    ...(oldestMs === undefined ? {} : { oldestMs }),
  };
}

/** Unreachable ones first. */
function worthAWord(all: readonly PeerLink[]): readonly PeerLink[] {
  const said = all.filter(({ state, words }) => state === "unreachable" || words !== undefined);
  return said
    .toSorted((a, b) => Number(b.state === "unreachable") - Number(a.state === "unreachable"))
    .slice(0, MOST_NAMED);
}

function most(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce(
    (top, value) => (top === undefined || (value !== undefined && value > top) ? value : top),
    undefined,
  );
}
