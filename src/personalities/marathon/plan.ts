/** The steps of a deployment (DeploymentPlan.scala): stop what goes, then start and change the rest, dependencies first. Pure. */
import { sameJson } from "../../store/transaction.ts";
import type { AppBody, AppDefinition } from "./app-definition.ts";
import { invalidObject } from "./errors.ts";
import { isWithin } from "./ids.ts";
import type { DeploymentAction, DeploymentStep } from "./kinds.ts";

export interface PlannedChange {
  readonly id: string;
  readonly before: AppDefinition | undefined;
  readonly after: AppBody | undefined;
  /** POST …/restart: nothing changed, and still every instance is replaced. */
  readonly restart: boolean;
}

export type ChangeClass = "none" | "create" | "remove" | "scale" | "restart";

export function classify({ before, after, restart }: PlannedChange): ChangeClass {
  if (!after) return before ? "remove" : "none";
  if (!before) return "create";
  if (restart || !sameConfig(before, after)) return "restart";
  return before.instances === after.instances ? "none" : "scale";
}

function sameConfig(before: AppDefinition, after: AppBody): boolean {
  const config = ({ version: _v, versionInfo: _i, instances: _n, ...rest }: AppDefinition) => rest;
  const none = { version: "", versionInfo: { lastScalingAt: "", lastConfigChangeAt: "" } };
  return sameJson(config(before), config({ ...after, ...none }));
}

/** `wanted`: every app as it will be, for the order. */
export function planSteps(
  changes: readonly PlannedChange[],
  wanted: ReadonlyMap<string, AppBody>,
): readonly DeploymentStep[] {
  const classes = new Map(changes.map((change) => [change.id, classify(change)]));
  const idsOf = (kind: ChangeClass) => [...classes].filter(([, own]) => own === kind).map(([id]) => id);
  const step = (action: DeploymentAction, ids: readonly string[]): DeploymentStep => ({
    actions: ids.toSorted().map((app) => ({ action, app })),
  });
  const layers = layersOf(wanted);
  const changing = [...classes.keys()].filter((id) => layers.has(id) && classes.get(id) !== "none");
  const byLayer = Map.groupBy(changing, (id) => layers.get(id) ?? 0);
  const ordered = [...byLayer]
    .sort(([a], [b]) => a - b)
    .map(
      ([, ids]): DeploymentStep => ({
        actions: ids.toSorted().map((app) => ({ action: actionFor(classes.get(app), wanted.get(app)), app })),
      }),
    );
  return [step("StopApplication", idsOf("remove")), step("StartApplication", idsOf("create")), ...ordered].filter(
    ({ actions }) => actions.length > 0,
  );
}

/** What ends with no instances only needs its instances killed. */
function actionFor(kind: ChangeClass | undefined, after: AppBody | undefined): DeploymentAction {
  return kind === "restart" && after?.instances !== 0 ? "RestartApplication" : "ScaleApplication";
}

/** Length of the longest path of dependencies below each app. Refuses circles. */
function layersOf(wanted: ReadonlyMap<string, AppBody>): ReadonlyMap<string, number> {
  const layers = new Map<string, number>();
  const onPath = new Set<string>();
  const visit = (id: string): number => {
    const known = layers.get(id);
    if (known !== undefined) return known;
    if (onPath.has(id)) throw invalidObject([{ field: "/", message: "Dependency graph has cyclic dependencies." }]);
    onPath.add(id);
    const below = dependenciesOf(id, wanted).map(visit);
    onPath.delete(id);
    const layer = below.length === 0 ? 0 : Math.max(...below) + 1;
    layers.set(id, layer);
    return layer;
  };
  for (const id of [...wanted.keys()].sort()) visit(id);
  return layers;
}

/** A dependency on a group means every app in it; on what is not there, nothing. */
function dependenciesOf(id: string, wanted: ReadonlyMap<string, AppBody>): readonly string[] {
  return (wanted.get(id)?.dependencies ?? []).flatMap((dependency) =>
    wanted.has(dependency) ? [dependency] : [...wanted.keys()].filter((other) => isWithin(other, dependency)),
  );
}
