import { defineKind, type ObjectMeta } from "./meta.ts";

/**
 * That this store was made from a backup; one object, named `restoration`. While it is held, nodes go on running what it
 * does not know, as it was started after the backup was made.
 */
export interface Restoration {
  readonly apiVersion: string;
  readonly kind: "Restoration";
  readonly metadata: ObjectMeta;
  readonly spec: {
    /** RFC 3339. */
    readonly restoredAt: string;
    /** When the backup was made. */
    readonly backupTime: string;
    readonly backupRevision: number;
    /** Of the program that made the backup. */
    readonly backupVersion: string;
    readonly state: "held" | "confirmed";
    readonly confirmedAt?: string;
    readonly confirmedBy?: string;
  };
}

export const RESTORATION_NAME = "restoration";

export const restorations = defineKind<Restoration>(
  "Restoration",
  "styrmann.dev/v1",
  "cluster",
  {},
  { isHidden: true },
);

/** Whether what runs and is not listed is to go on. */
export function isHeld(restoration: Restoration | undefined): boolean {
  return restoration?.spec.state === "held";
}

/** What a node says while it is told that the store was restored: part of its status. */
export interface UnlistedReport {
  /** Pods that run here and that the restored store does not know. */
  readonly kept: number;
  /** The first of them, by name. */
  readonly keptPods: readonly UnlistedPod[];
  /** Pods assigned here that may run once only, and that did not run here: they wait. */
  readonly waiting: number;
  /** The first of them: `namespace/name`. */
  readonly waitingPods: readonly string[];
  /** What of the network is in force here and the restored store does not know, or has otherwise. Absent: nothing. */
  readonly network?: readonly UnlistedThings[];
}

export const UNLISTED_KINDS = ["Service", "NetworkPolicy", "route", "node"] as const;
export type UnlistedKind = (typeof UNLISTED_KINDS)[number];

export interface UnlistedThings {
  readonly kind: UnlistedKind;
  readonly count: number;
  /** The first of them. */
  readonly names: readonly string[];
}

export interface UnlistedPod {
  /** `namespace/name`; absent when only its containers are known. */
  readonly key?: string;
  readonly uid: string;
  /** RFC 3339: when it was created. */
  readonly since?: string;
}

export const MOST_UNLISTED_NAMED = 50;
