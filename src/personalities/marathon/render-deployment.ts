import { OWNER_INDEX } from "../../model/meta.ts";
import { pods } from "../../model/pod.ts";
import type { Reader } from "../../store/transaction.ts";
import { nameOfId } from "./ids.ts";
import { instanceOf, isTask } from "./instance.ts";
import { type AppDeployment, appKey, apps } from "./kinds.ts";
import { readinessResults } from "./render.ts";
import { currentStep } from "./steps.ts";

/** One entry of GET /v2/deployments. */
export function renderDeployment(deployment: AppDeployment, reader: Reader): object {
  const { metadata, spec, status } = deployment;
  const actions = currentStep(deployment)?.actions ?? [];
  return {
    id: metadata.name,
    version: spec.version,
    affectedApps: spec.affectedApps,
    affectedPods: [],
    steps: spec.steps,
    currentActions: actions.map((action) => ({ ...action, readinessCheckResults: readinessOf(action.app, reader) })),
    currentStep: status.currentStep,
    totalSteps: spec.steps.length,
  };
}

function readinessOf(id: string, reader: Reader): readonly object[] {
  const app = reader.get(apps, appKey(nameOfId(id)));
  if (!app) return [];
  const { definition } = app.spec;
  const tasks = reader
    .by(pods, OWNER_INDEX, app.metadata.uid)
    .map((pod) => instanceOf(pod, definition))
    .filter(isTask);
  return readinessResults(definition, tasks);
}
