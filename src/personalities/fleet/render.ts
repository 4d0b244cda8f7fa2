/** From what is stored to what fleet's clients read. Pure. Empty strings, lists and maps are left out, as Go's omitempty does. */
import type { Node } from "../../model/node.ts";
import type { Pod } from "../../model/pod.ts";
import { unitHash } from "../../model/unit/serialize-unit.ts";
import type { MachineMetadata, Unit } from "./kinds.ts";
import { readRequirements } from "./requirements.ts";
import { UNIT_CONTAINER } from "./translate.ts";

export type CurrentState = "inactive" | "loaded" | "launched";

/** fleetctl's restart asks to stop and then waits to see "launched" on a poll at least 250 ms later (specs 2.3.5). */
const RESTART_GRACE_MS = 600;

export function renderUnit(
  unit: Unit,
  pods: readonly Pod[],
  machineOf: (nodeName: string) => string | undefined,
  nowMs: number,
): object {
  const isGlobal = readRequirements(unit.spec.options, unit.metadata.name).isGlobal;
  const pod = isGlobal ? undefined : pods.find(({ spec }) => spec.nodeName !== undefined);
  const machineID = pod?.spec.nodeName === undefined ? undefined : machineOf(pod.spec.nodeName);
  return compact({
    currentState: isGlobal ? undefined : currentState(unit, pods, nowMs),
    desiredState: unit.spec.desiredState,
    machineID,
    name: unit.metadata.name,
    options: unit.spec.options.map(({ section, name, value }) => compact({ name, section, value })),
  });
}

/** "launched" means that the agent was told to start it, and says nothing of success (specs 3.6). */
export function currentState(unit: Unit, pods: readonly Pod[], nowMs: number): CurrentState {
  const { desiredState, stoppedAtMs } = unit.spec;
  const loaded = pods.find((pod) => unitStateOf(pod) !== undefined);
  if (!loaded || desiredState === "inactive") return loaded && desiredState === "inactive" ? "loaded" : "inactive";
  const startAsked = loaded.spec.containers[0]?.unit?.start !== false;
  if (desiredState === "launched") return startAsked ? "launched" : "loaded";
  const stopping = unitStateOf(loaded)?.active !== "inactive" && unitStateOf(loaded)?.active !== "failed";
  const justAsked = stoppedAtMs !== undefined && nowMs - stoppedAtMs < RESTART_GRACE_MS;
  return justAsked || (stopping && stoppedAtMs !== undefined) ? "launched" : "loaded";
}

function unitStateOf(pod: Pod) {
  return pod.status.containerStatuses?.find(({ name }) => name === UNIT_CONTAINER)?.unit;
}

/** One row per machine that holds the unit; nothing for pods whose unit no machine has loaded yet. */
export function renderStates(
  unit: Unit,
  pods: readonly Pod[],
  machineOf: (nodeName: string) => string | undefined,
): readonly UnitStateRow[] {
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

export function renderMachine(node: Node, overrides: MachineMetadata | undefined): object {
  const own = Object.entries(node.metadata.labels ?? {}).filter(([key]) => !key.includes("/"));
  const merged = new Map([...own, ...Object.entries(overrides?.spec.values ?? {})]);
  const metadata = Object.fromEntries(
    [...merged].filter(([, value]) => value !== "").sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return compact({
    id: node.status.nodeInfo.machineID,
    metadata,
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
