/**
 * Which versions of server, agent and command line work together: those of one major version that are at most one minor
 * version apart, so that each can be upgraded alone and in any order. docs/operations.md, "Upgrade".
 */

/** The header in which each side of a request, or of a link, says its own version. */
export const VERSION_HEADER = "Styrmann-Version";

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

export type Side = "server" | "agent" | "cli";

const VERSION = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:[-+][0-9A-Za-z.+-]{1,64})?$/;
const LONGEST_SHOWN = 40;
const NAMES: Readonly<Record<Side, string>> = { server: "the server", agent: "the agent", cli: "the command styr" };

/** `1.2.3`, with or without a `v` before or a pre-release behind it; undefined for anything else. */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch] = VERSION.exec(text) ?? [];
  if (major === undefined) return undefined;
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/**
 * Why two versions do not work together, and which side to upgrade; undefined when they do. `who` is the other side, `me` this
 * one. A version that is absent is that of a foreign program (curl, kubectl), which knows what it asks for; one that nobody can
 * read is refused.
 */
export function skewProblem(
  mine: string,
  theirs: string | undefined,
  who: Side,
  me: Side = who === "server" ? "cli" : "server",
): string | undefined {
  if (theirs === undefined) return undefined;
  const [ours, other] = [parseVersion(mine), parseVersion(theirs)];
  if (!other) return `${NAMES[who]} calls its version "${shown(theirs)}", which is none; install a released styr there`;
  if (!ours) return `${NAMES[me]} calls its version "${shown(mine)}", which is none; install a released styr there`;
  if (ours.major === other.major && Math.abs(ours.minor - other.minor) <= 1) return undefined;
  return apart({ side: me, version: ours }, { side: who, version: other });
}

interface Party {
  readonly side: Side;
  readonly version: Version;
}

function apart(ours: Party, other: Party): string {
  const [older, newer] = order(ours.version, other.version) < 0 ? [ours, other] : [other, ours];
  const isMajor = older.version.major !== newer.version.major;
  const { major, minor } = newer.version;
  const rule = isMajor ? "a major version apart" : `${minor - older.version.minor} minor versions apart`;
  const wanted = isMajor || minor === 0 ? `${major}.${minor}` : `${major}.${minor - 1} or ${major}.${minor}`;
  const who = older.side === newer.side ? `the older ${NAMES[older.side].replace("the ", "")}` : NAMES[older.side];
  return `${NAMES[other.side]} has version ${words(other.version)} and ${NAMES[ours.side]} ${words(ours.version)}: ${rule}, and one minor version is the most; upgrade ${who} to ${wanted}`;
}

function order(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor;
}

function words({ major, minor, patch }: Version): string {
  return `${major}.${minor}.${patch}`;
}

/** It comes from the other side and goes into sentences. */
function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, LONGEST_SHOWN);
}
