import { defineKind, type ObjectMeta } from "../../model/meta.ts";
import type { UnitOption } from "../../model/pod.ts";
import { readRequirements } from "./requirements.ts";

export type UnitDesire = "inactive" | "loaded" | "launched";

/** A fleet unit, verbatim: its options in the order of the file, and what its user last asked of it. */
export interface Unit {
  readonly apiVersion: string;
  readonly kind: "Unit";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly options: readonly UnitOption[];
    readonly desiredState: UnitDesire;
    /**
     * Counts the times a launched unit was asked to stop. A pod that has not heard of the last such time has to stop once,
     * even when "launched" is asked again at once: that is how fleetctl restarts.
     */
    readonly stops: number;
    /** When it was last asked to stop, for the grace that fleetctl's restart needs. */
    readonly stoppedAtMs?: number;
  };
}

/** Index `trait`: "global" units run on every machine; "replaces" ones push others away; "beside X" ones have to be where X is. */
export const units = defineKind<Unit>("Unit", "fleet.styrmann.dev/v1", "cluster", {
  trait: ({ metadata, spec }) => {
    const { isGlobal, replaces, peers } = readRequirements(spec.options, metadata.name);
    return [
      ...(isGlobal ? ["global"] : []),
      ...(replaces.length > 0 ? ["replaces"] : []),
      ...peers.map((peer) => `beside ${peer}`),
    ];
  },
});

/** What PATCH /machines has set over a machine's own metadata; "" takes a key away. Named by machine id. */
export interface MachineMetadata {
  readonly apiVersion: string;
  readonly kind: "MachineMetadata";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly values: Readonly<Record<string, string>> };
}

export const machineMetadata = defineKind<MachineMetadata>("MachineMetadata", "fleet.styrmann.dev/v1", "cluster");

/** The namespace of every pod that stands for a unit. */
export const FLEET_NAMESPACE = "fleet";
