/** What a step of a deployment does when its turn comes, and when it is done. */
import { OWNER_INDEX } from "../../model/meta.ts";
import { isOnLostNode } from "../../model/node-state.ts";
import { isTerminal, pods } from "../../model/pod.ts";
import type { Reader, Tx } from "../../store/transaction.ts";
import { nameOfId } from "./ids.ts";
import { instanceOf } from "./instance.ts";
import { type App, type AppDeployment, appKey, apps, type DeploymentStep, isVisible } from "./kinds.ts";
import { isConverged } from "./upgrade.ts";

export function currentStep({ spec, status }: AppDeployment): DeploymentStep | undefined {
  return spec.steps[status.currentStep - 1];
}

/** Lets the apps of the current step follow what is wanted of them; their controller does the rest. */
export function startStep(tx: Tx, deployment: AppDeployment): void {
  for (const { action, app: id } of currentStep(deployment)?.actions ?? []) {
    const app = tx.get(apps, appKey(nameOfId(id)));
    if (!app || action === "StartApplication" || action === "StopApplication") continue;
    const { backoff: _, ...status } = app.status;
    const { mixed, ...spec } = app.spec;
    const keepsMixed = mixed === true && action === "ScaleApplication";
    tx.update(apps, {
      ...app,
      spec: { ...spec, active: app.spec.definition, ...(keepsMixed ? { mixed } : {}) },
      status,
    });
  }
}

export function isStepDone(reader: Reader, step: DeploymentStep): boolean {
  return step.actions.every(({ action, app: id }) => {
    const app = reader.get(apps, appKey(nameOfId(id)));
    if (!app || action === "StartApplication") return true;
    if (action === "StopApplication") return isVisible(app) || isStopped(reader, app);
    return isAppConverged(reader, app);
  });
}

/** What is left of it is on nodes that are lost, and is stopped when they are back: nobody can wait for that. */
function isStopped(reader: Reader, app: App): boolean {
  return reader.by(pods, OWNER_INDEX, app.metadata.uid).every((pod) => isTerminal(pod) || isOnLostNode(pod));
}

function isAppConverged(reader: Reader, app: App): boolean {
  const definition = app.spec.active;
  if (!definition || definition.version !== app.spec.definition.version) return false;
  const instances = reader.by(pods, OWNER_INDEX, app.metadata.uid).map((pod) => instanceOf(pod, definition));
  return isConverged({ app: definition, instances, mixed: app.spec.mixed ?? false });
}
