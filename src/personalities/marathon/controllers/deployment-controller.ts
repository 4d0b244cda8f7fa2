/** Takes a deployment from step to step, and away when the last is done. */
import { type Controller, wakes } from "../../../controllers/controller.ts";
import { keyOf } from "../../../model/meta.ts";
import { type Pod, pods } from "../../../model/pod.ts";
import type { Reader, Tx } from "../../../store/transaction.ts";
import { type App, type AppDeployment, appDeployments, apps } from "../kinds.ts";
import { currentStep, isStepDone, startStep } from "../steps.ts";
import { appKeysOf } from "./app-controller.ts";

export const deploymentController: Controller = {
  name: "marathon-deployment",
  wakers: [
    wakes(appDeployments, (deployment) => [keyOf(deployment)]),
    wakes(apps, (app, reader) => deploymentsOf(app, reader)),
    wakes(pods, (pod, reader) => deploymentsAbout(pod, reader)),
  ],
  reconcile(key, tx) {
    let deployment = tx.get(appDeployments, key);
    while (deployment) deployment = advance(tx, deployment);
    return undefined;
  },
};

/** The deployment in its next step; undefined when it waits or is done. */
function advance(tx: Tx, deployment: AppDeployment): AppDeployment | undefined {
  const step = currentStep(deployment);
  if (step && !isStepDone(tx, step)) return undefined;
  if (!step || deployment.status.currentStep >= deployment.spec.steps.length) {
    tx.remove(appDeployments, keyOf(deployment));
    return undefined;
  }
  const next = tx.update(appDeployments, { ...deployment, status: { currentStep: deployment.status.currentStep + 1 } });
  startStep(tx, next);
  return next;
}

function deploymentsOf(app: App, reader: Reader): readonly string[] {
  return reader.by(appDeployments, "app", app.spec.definition.id).map(keyOf);
}

function deploymentsAbout(pod: Pod, reader: Reader): readonly string[] {
  return appKeysOf(pod).flatMap((key) => {
    const app = reader.get(apps, key);
    return app ? deploymentsOf(app, reader) : [];
  });
}
