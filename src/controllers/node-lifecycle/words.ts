/** What people read about a lease. Pure. */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import type { NodeState } from "../../model/node-state.ts";
import { FLAPPING_TROUBLE, isFlapping } from "./flapping.ts";
import { type Comeback, isAway, isGone, isSilent, isTakenDown, isWaitedFor, type Lease } from "./lease.ts";

/** `8 s`, `70 s`, `5 min`, `26 h`. */
export function spell(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** Since when it is not heard, as far as is known: whoever ran before us may have written it. */
function quietSinceMs({ heardMs, beatMs, quietMs }: Lease): number {
  return Math.min(heardMs, beatMs ?? heardMs, quietMs ?? heardMs);
}

export function silentWords(lease: Lease, nowMs: number): string {
  const { leaving, hasLived } = lease;
  if (!hasLived) return "silent since it was made: no agent has ever reported from it";
  if (isTakenDown(lease)) return `taken down ${spell(nowMs - (leaving?.sinceMs ?? nowMs))} ago (styr down)`;
  if (!leaving) return `silent for ${spell(nowMs - quietSinceMs(lease))}`;
  return `away for ${spell(nowMs - leaving.sinceMs)} after its goodbye`;
}

/** `back after 14 s: was cut off`. */
export function comebackWords({ silentMs, rebooted, announced }: Comeback): string {
  const how = rebooted ? "was rebooted" : announced ? "its agent was restarted" : "was cut off";
  return `back after ${spell(silentMs)}: ${how}${rebooted && announced ? ", as announced" : ""}`;
}

export interface View {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly settings: ClusterSettingsSpec;
  /** Of the brake, when it holds this node. */
  readonly heldWords: string | undefined;
}

export function stateOf(lease: Lease, { nowMs, wallMs, settings, heldWords }: View): NodeState {
  const wall = (ms: number) => wallMs - (nowMs - ms);
  const silent = silentWords(lease, nowMs);
  if (heldWords !== undefined) {
    const words = `${silent}; the brake holds: ${heldWords}`;
    return { state: "unreachable", sinceMs: wall(lease.quietMs ?? lease.loss?.sinceMs ?? lease.heardMs), words };
  }
  if (lease.loss) {
    const gone = isGone(lease, nowMs, settings);
    const moved = isTakenDown(lease) ? "its pods are replaced" : "its pods are replaced as each asks for";
    const words = `${silent}: ${gone ? "what was replaced of it is forgotten" : moved}`;
    return { state: gone ? "gone" : "unreachable", sinceMs: wall(lease.quietMs ?? lease.loss.sinceMs), words };
  }
  if (isAway(lease, nowMs)) {
    const why = lease.leaving?.goodbye.why === "reboot" ? "said that it reboots" : "its agent said that it restarts";
    const words = `${why}; waited for until ${spell(lease.graceMs - nowMs)} from now`;
    return { state: "restarting", sinceMs: wall(lease.leaving?.sinceMs ?? nowMs), words };
  }
  if (isWaitedFor(lease, nowMs, settings)) {
    const heard = lease.beatMs === undefined ? "not heard since this server began" : silent;
    const words = `${heard}; waited for until ${spell(lease.graceMs - nowMs)} from now`;
    return { state: "suspect", sinceMs: wall(quietSinceMs(lease)), words };
  }
  if (isSilent(lease, nowMs, settings)) {
    return { state: "suspect", sinceMs: wall(quietSinceMs(lease)), words: `${silent}; nothing is done about it yet` };
  }
  const { health, message } = lease.word;
  if (isFlapping(lease.flaps, nowMs)) {
    return { state: "ready", sinceMs: wall(lease.sinceMs), words: `it beats, but ${FLAPPING_TROUBLE.message}` };
  }
  const words = health === "ok" ? "it beats" : `it beats, and says ${message || health}`;
  return { state: "ready", sinceMs: wall(lease.sinceMs), words };
}
