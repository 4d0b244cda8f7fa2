/**
 * Devices of a container's network namespace, as the kernel says them to the host's own `ip`. Nothing of the container's file system is
 * asked: whatever lies there is the container's to choose, also what it looks like and whether reading it ever ends.
 */
import { CommandError, type Commands } from "../../seams/commands.ts";

export interface InnerLink {
  readonly index: number;
  readonly mac: string;
  /** Number of the other end of its cable, in another namespace. */
  readonly peer: number;
}

/** As `ip -j link` has it. */
interface ShownLink {
  readonly ifindex: number;
  readonly link_index?: number;
  readonly link_netnsid?: number;
  readonly address?: string;
}

const PATIENCE_MS = 2_000;

/**
 * `places`: names of the namespace, the best first; an engine with a file system of its own (a snap) has the first for itself. Undefined:
 * there is none any more, or not yet. Rejects with CommandError where this host lets nobody ask.
 */
export async function innerLinks(
  commands: Commands,
  places: readonly string[],
): Promise<readonly InnerLink[] | undefined> {
  for (const place of places) {
    const { exitCode, stdout, stderr } = await commands.run("nsenter", [`--net=${place}`, "ip", "-j", "link", "show"], {
      timeoutMs: PATIENCE_MS,
    });
    if (exitCode === 0) return linksIn(stdout);
    if (/not permitted|failed to execute|can't execute/i.test(stderr)) throw new CommandError(stderr.trim());
  }
  return undefined;
}

function linksIn(text: string): readonly InnerLink[] {
  return (JSON.parse(text || "[]") as readonly ShownLink[]).flatMap(
    ({ ifindex: index, link_index: peer, link_netnsid: namespace, address: mac }) =>
      // Without a namespace the other end is in the same one.
      peer === undefined || namespace === undefined || mac === undefined ? [] : [{ index, mac, peer }],
  );
}
