/** One node's lease: when it was last heard, and what that means at a moment. Pure but for the record itself, which Leases owns. All times of a lease are monotonic. */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import type { Goodbye, NodeHealth } from "../../model/heartbeat.ts";
import { type Flaps, NO_FLAPS } from "./flapping.ts";

/** Nobody answers, and its pods are being replaced. */
export interface Loss {
  readonly sinceMs: number;
}

/** How it was when it came back, for the event that says so. */
export interface Comeback {
  readonly silentMs: number;
  readonly rebooted: boolean;
  /** It had said goodbye. */
  readonly announced: boolean;
}

export interface HealthWord {
  readonly health: NodeHealth;
  readonly message: string;
  readonly sinceMs: number;
}

export interface Lease {
  readonly node: string;
  zone: string | undefined;
  /** Silence counts from here: its last heartbeat, or the moment since when we could have heard it. */
  heardMs: number;
  /** Its silence means nothing before this. */
  graceMs: number;
  /** Its last heartbeat; undefined: none since this control plane began. */
  beatMs: number | undefined;
  /** As a control plane before this one has it: silent since then. For people only. */
  quietMs: number | undefined;
  /** For so long we listened, heard others and not it (listening.ts): that is no silence of ours. */
  unheardMs: number;
  /** The brake of a control plane before this one held it, and it has not been heard since. */
  wasHeld: boolean;
  /** An agent has been heard from it at some time, by us or by whoever ran before us. */
  hasLived: boolean;
  /** It has beaten since this control plane listens, and since it was last given up. */
  hasBeaten: boolean;
  bootId: string | undefined;
  /** When it last said that its host was started anew. */
  rebootedMs: number;
  /** The highest sequence heard in each of its last sessions, newest last. */
  readonly sessions: Map<string, number>;
  leaving: { readonly goodbye: Goodbye; readonly sinceMs: number } | undefined;
  loss: Loss | undefined;
  /** Of a node that is back: until then its agent is given time to say how its pods are. */
  returnedUntilMs: number | undefined;
  comeback: Comeback | undefined;
  flaps: Flaps;
  /** A person said that its silence is real. */
  released: boolean;
  /** Exclusive pods of it have been given away, and it has not been taken back since. */
  gaveAway: boolean;
  /** That it is gone has been said. */
  goneTold: boolean;
  /** Give-aways of its exclusive pods that are being written. */
  giving: number;
  word: HealthWord;
  /** It is as it is since then. */
  sinceMs: number;
}

export const NO_GRACE = Number.NEGATIVE_INFINITY;

export function newLease(node: string, nowMs: number, graceMs: number): Lease {
  return {
    node,
    zone: undefined,
    heardMs: nowMs,
    graceMs,
    beatMs: nowMs,
    quietMs: undefined,
    unheardMs: 0,
    wasHeld: false,
    hasLived: false,
    hasBeaten: false,
    bootId: undefined,
    rebootedMs: Number.NEGATIVE_INFINITY,
    sessions: new Map(),
    leaving: undefined,
    loss: undefined,
    returnedUntilMs: undefined,
    comeback: undefined,
    flaps: NO_FLAPS,
    released: false,
    gaveAway: false,
    goneTold: false,
    giving: 0,
    word: { health: "ok", message: "", sinceMs: nowMs },
    sinceMs: nowMs,
  };
}

/** When its silence is long enough to act on. */
export function dueMs({ heardMs, graceMs }: Lease, { unreachableAfterMs }: ClusterSettingsSpec): number {
  return Math.max(heardMs + unreachableAfterMs, graceMs);
}

/** When it begins to count as silent: as long before it is due as without any grace. */
export function lapseMs(lease: Lease, settings: ClusterSettingsSpec): number {
  return dueMs(lease, settings) - (settings.unreachableAfterMs - settings.suspectAfterMs);
}

/**
 * How much of a grace is left to who was not heard while others were: as if it were one grace, however often it begins
 * anew. Never less than `leastMs`, in which what was sent before is read.
 */
export function restOfGrace({ unheardMs }: Pick<Lease, "unheardMs">, fullMs: number, leastMs: number): number {
  return Math.max(Math.min(leastMs, fullMs), fullMs - unheardMs);
}

/** After we stood still for so long nobody's silence counts for a while: never longer than after a start. */
export function stallGraceMs(stoodMs: number, { startGraceMs, unreachableAfterMs }: ClusterSettingsSpec): number {
  return Math.min(startGraceMs, Math.round(stoodMs) + unreachableAfterMs);
}

/** It is not heard, and nothing is made of it only because a grace runs. */
export function isWaitedFor(lease: Lease, nowMs: number, settings: ClusterSettingsSpec): boolean {
  const { beatMs, graceMs } = lease;
  return nowMs < graceMs && (beatMs === undefined || nowMs - beatMs >= settings.suspectAfterMs);
}

export function isSilent(lease: Lease, nowMs: number, settings: ClusterSettingsSpec): boolean {
  return lease.loss !== undefined || nowMs >= lapseMs(lease, settings);
}

/** It said goodbye, and the time that it was given for that is not over. */
export function isAway({ leaving, graceMs, loss }: Lease, nowMs: number): boolean {
  return leaving !== undefined && loss === undefined && nowMs < graceMs;
}

/** A person took its host down, and all that ran there goes: nothing is waited for. */
export function isTakenDown({ leaving, loss }: Pick<Lease, "leaving" | "loss">): boolean {
  return loss !== undefined && leaving?.goodbye.why === "down";
}

/** When its exclusive pods may be started elsewhere, if it stays silent and no grace runs. `floorMs`: never before. */
export function giveAwayMs(lease: Lease, { exclusiveAfterMs }: ClusterSettingsSpec, floorMs: number): number {
  return Math.max(lease.heardMs + exclusiveAfterMs, floorMs);
}

export function isGone({ loss }: Lease, nowMs: number, { goneAfterMs }: ClusterSettingsSpec): boolean {
  return loss !== undefined && nowMs >= loss.sinceMs + goneAfterMs;
}
