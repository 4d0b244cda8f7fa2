/**
 * What units of one node do to each other: systemd's dependencies, among the units that this driver holds. Names that it does
 * not hold (docker.service, etcd.service) have no effect, as fleet's users expect of hosts that manage them otherwise.
 */
import type { UnitState } from "../../model/pod.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";

export interface HeldUnit {
  readonly name: string;
  readonly service: ServiceSettings;
  readonly active: UnitState["active"];
  /** Loaded and never started: the only ones that another unit may start, because their pods do not count their runs. */
  readonly isLoadedOnly: boolean;
  /** Its start job waits for others. */
  readonly isWaiting: boolean;
  /** It waits to be started again by its own Restart=: its start job is long done. */
  readonly isAutoRestarting: boolean;
}

export interface DependencyAction {
  readonly type: "start" | "stop" | "restart";
  readonly name: string;
  readonly reason: string;
}

/** How a unit came to rest. */
export type Ending = "stopped" | "ended" | "failed" | "restarting";

/** What the start of a unit does to others. Sorted by name. */
export function planOnStart(name: string, held: readonly HeldUnit[]): readonly DependencyAction[] {
  const me = held.find((unit) => unit.name === name);
  if (!me) return [];
  const { requires, wants, bindsTo, conflicts } = me.service.relations;
  const pulled = new Set([...requires, ...wants, ...bindsTo]);
  return others(name, held).flatMap((unit): DependencyAction[] => {
    const { relations } = unit.service;
    if (isUp(unit) && (conflicts.includes(unit.name) || relations.conflicts.includes(name)))
      return [{ type: "stop", name: unit.name, reason: `it conflicts with ${name}, which is started` }];
    if (!unit.isLoadedOnly || isUp(unit)) return [];
    if (pulled.has(unit.name)) return [{ type: "start", name: unit.name, reason: `${name} needs it` }];
    if (relations.wantedBy.includes(name) || relations.requiredBy.includes(name))
      return [{ type: "start", name: unit.name, reason: `it is wanted by ${name}` }];
    return [];
  });
}

/** What the end of a unit does to others. Sorted by name. */
export function planOnEnd(name: string, ending: Ending, held: readonly HeldUnit[]): readonly DependencyAction[] {
  const me = held.find((unit) => unit.name === name);
  const started = ending === "failed" ? me?.service.relations.onFailure : me?.service.relations.onSuccess;
  return others(name, held).flatMap((unit): DependencyAction[] => {
    if (isUp(unit)) return endOfDependent(unit, name, ending);
    const isNext = (ending === "failed" || ending === "ended") && started?.includes(unit.name);
    if (isNext && unit.isLoadedOnly) return [{ type: "start", name: unit.name, reason: `${name} ${ending}` }];
    return [];
  });
}

function endOfDependent(unit: HeldUnit, name: string, ending: Ending): DependencyAction[] {
  const { bindsTo, requires, requisite, partOf } = unit.service.relations;
  const isBound = bindsTo.includes(name);
  const isTied = isBound || [...requires, ...requisite, ...partOf].includes(name);
  if (ending === "restarting" && isTied)
    return [{ type: "restart", name: unit.name, reason: `${name}, which it depends on, is restarted` }];
  if (ending === "stopped" && isTied)
    return [{ type: "stop", name: unit.name, reason: `${name}, which it depends on, was stopped` }];
  if ((ending === "ended" || ending === "failed") && isBound)
    return [{ type: "stop", name: unit.name, reason: `${name}, which it is bound to, has ended` }];
  return [];
}

/** The unit whose start this one's start has to wait for (After=, Before=); undefined when it may begin. */
export function startsAfter(name: string, held: readonly HeldUnit[]): string | undefined {
  return others(name, held).find((unit) => {
    const isStarting = (unit.active === "activating" && !unit.isAutoRestarting) || unit.isWaiting;
    return isStarting && isAfter(name, unit.name, held) && !isAfter(unit.name, name, held);
  })?.name;
}

/** Names that have no effect here, for a word about it. */
export function unheldNames({ relations }: ServiceSettings, held: readonly HeldUnit[]): readonly string[] {
  const { requires, requisite, wants, bindsTo, partOf, after } = relations;
  const named = new Set([...requires, ...requisite, ...wants, ...bindsTo, ...partOf, ...after]);
  return [...named].filter((name) => !held.some((unit) => unit.name === name)).toSorted();
}

function isAfter(
  later: string,
  earlier: string,
  held: readonly HeldUnit[],
  seen: ReadonlySet<string> = new Set(),
): boolean {
  if (seen.has(later)) return false;
  return held.some((unit) => {
    const precedes = isOrdered(later, unit.name, held);
    return precedes && (unit.name === earlier || isAfter(unit.name, earlier, held, new Set([...seen, later])));
  });
}

function isOrdered(later: string, earlier: string, held: readonly HeldUnit[]): boolean {
  const relations = (name: string) => held.find((unit) => unit.name === name)?.service.relations;
  return (relations(later)?.after.includes(earlier) || relations(earlier)?.before.includes(later)) ?? false;
}

function others(name: string, held: readonly HeldUnit[]): readonly HeldUnit[] {
  return held.filter((unit) => unit.name !== name).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function isUp({ active }: HeldUnit): boolean {
  return active === "active" || active === "activating" || active === "reloading";
}
