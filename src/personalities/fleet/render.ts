/** From what is stored to what fleet's clients read. Pure. Empty strings, lists and maps are left out, as Go's omitempty does. */
import type { Node } from "../../model/node.ts";
import type { Pod } from "../../model/pod.ts";
import { unitHash } from "../../model/unit/serialize-unit.ts";
import { currentState } from "./current-state.ts";
import type { Unit } from "./kinds.ts";
import { readRequirements } from "./requirements.ts";
import { unitStateOf } from "./unit-pods.ts";

/** Node name → machine id, of machines that are there. */
export type MachineOf = (nodeName: string) => string | undefined;

/** `inList`: fleet gives global units a state in lists only, where it is always the same. */
export function renderUnit(
  unit: Unit,
  pods: readonly Pod[],
  machineOf: MachineOf,
  { nowMs, inList = false }: { readonly nowMs: number; readonly inList?: boolean },
): object {
  const { isGlobal } = readRequirements(unit.spec.options, unit.metadata.name);
  const placed = pods.filter(({ spec }) => spec.nodeName !== undefined && machineOf(spec.nodeName) !== undefined);
  const nodeName = isGlobal ? undefined : placed[0]?.spec.nodeName;
  const stateOfGlobal = inList ? "inactive" : undefined;
  return compact({
    currentState: isGlobal ? stateOfGlobal : currentState(unit, placed, nowMs),
    desiredState: unit.spec.desiredState,
    machineID: nodeName === undefined ? undefined : machineOf(nodeName),
    name: unit.metadata.name,
    options: unit.spec.options.map(({ section, name, value }) => compact({ name, section, value })),
  });
}

/** One row per machine that holds the unit; nothing for pods whose unit no machine has loaded yet. */
export function renderStates(unit: Unit, pods: readonly Pod[], machineOf: MachineOf): readonly UnitStateRow[] {
  const hash = unitHash(unit.spec.options);
  return pods.flatMap((pod) => {
    const state = unitStateOf(pod);
    const machineID = pod.spec.nodeName === undefined ? undefined : machineOf(pod.spec.nodeName);
    if (!state || machineID === undefined) return [];
    return [
      {
        hash,
        machineID,
        name: unit.metadata.name,
        systemdActiveState: state.active,
        systemdLoadState: state.load,
        systemdSubState: state.sub,
      },
    ];
  });
}

export interface UnitStateRow {
  readonly hash: string;
  readonly machineID: string;
  readonly name: string;
  readonly systemdActiveState: string;
  readonly systemdLoadState: string;
  readonly systemdSubState: string;
}

/** `labels`: what it is known by. Those of Kubernetes' own domains are no metadata of fleet's. */
export function renderMachine(node: Node, labels: Readonly<Record<string, string>>): object {
  const own = Object.entries(labels).filter(([key]) => !key.includes("/"));
  return compact({
    id: node.status.nodeInfo.machineID,
    metadata: Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1))),
    primaryIP: node.status.addresses.find(({ type }) => type === "InternalIP")?.address,
  });
}

/** Go's omitempty. */
export function compact(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "") return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
