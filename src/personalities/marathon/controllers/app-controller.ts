/** Brings an app's pods to what its active definition wants: launches, kills, counts failures, clears away what has ended. */
import { type Controller, type Requeue, wakes } from "../../../controllers/controller.ts";
import { keyOf, OWNER_INDEX } from "../../../model/meta.ts";
import { nodes } from "../../../model/node.ts";
import { type Pod, pods } from "../../../model/pod.ts";
import type { Random } from "../../../seams/random.ts";
import { deletePod } from "../../../store/delete-pod.ts";
import { recordEvent } from "../../../store/record-event.ts";
import type { Tx } from "../../../store/transaction.ts";
import type { AppDefinition } from "../app-definition.ts";
import { remainingDelayMs } from "../backoff.ts";
import { topologyKeyOf } from "../constraints.ts";
import { newTaskId } from "../ids.ts";
import { type Instance, instanceOf } from "../instance.ts";
import { type App, appKey, apps, isVisible } from "../kinds.ts";
import { podNameFor, translateApp } from "../translate.ts";
import { planInstances } from "../upgrade.ts";
import { settleEndedPods } from "./ended-pods.ts";
import { expungeLost } from "./expunge.ts";

/** Launches in one transaction; more follow in the next, so that a huge app does not hold up everybody else. */
const LAUNCH_CHUNK = 200;
/** Instances that may wait for a place at once: beyond that, more would only be more of the same refusal. */
const MOST_WAITING = 1000;

export const appController: Controller = {
  name: "marathon-app",
  wakers: [wakes(apps, (app) => [keyOf(app)]), wakes(pods, appKeysOf)],
  reconcile(key, tx, { random }) {
    const app = tx.get(apps, key);
    if (!app) return undefined;
    const owned = tx.by(pods, OWNER_INDEX, app.metadata.uid);
    if (!isVisible(app)) return stopApp(tx, app, owned);
    const definition = app.spec.active;
    if (!definition) return undefined;
    const settled = settleEndedPods(tx, app, definition, owned);
    return converge(tx, settled, definition, random);
  },
};

/** The app that owns a pod, by its owner reference. */
export function appKeysOf(pod: Pod): readonly string[] {
  return (pod.metadata.ownerReferences ?? []).flatMap(({ kind, name }) => (kind === apps.name ? appKey(name) : []));
}

function stopApp(tx: Tx, app: App, owned: readonly Pod[]): undefined {
  for (const pod of owned) deletePod(tx, pod);
  if (tx.by(pods, OWNER_INDEX, app.metadata.uid).length === 0) tx.remove(apps, keyOf(app));
}

function converge(tx: Tx, app: App, definition: AppDefinition, random: Random): Requeue | undefined {
  const instances = tx.by(pods, OWNER_INDEX, app.metadata.uid).map((pod) => instanceOf(pod, definition));
  const groupOf = groupingOf(tx, definition);
  const mixed = app.spec.mixed ?? false;
  const plan = planInstances({ app: definition, instances, mixed, ...(groupOf ? { groupOf } : {}) });
  for (const { instance, reason } of plan.kill) kill(tx, app, instance, reason);
  const killed = new Set(plan.kill.map(({ instance }) => instance));
  const expunge = expungeLost(
    tx,
    definition,
    instances.filter((instance) => !killed.has(instance)),
  );

  const waitMs = remainingDelayMs(definition, app.status.backoff, tx.nowMs);
  if (plan.launch > 0 && waitMs > 0) return { afterMs: Math.min(waitMs, expunge?.afterMs ?? waitMs) };
  const waiting = instances.filter(({ condition }) => condition === "Scheduled").length;
  const launches = Math.min(plan.launch, LAUNCH_CHUNK, Math.max(0, MOST_WAITING - waiting));
  for (let n = 0; n < launches; n++) launch(tx, app, definition, random);
  return expunge;
}

function launch(tx: Tx, app: App, definition: AppDefinition, random: Random): void {
  const instance = {
    taskId: newTaskId(definition.id, random.uuid()),
    podName: podNameFor(definition.id, random.suffix(10)),
    stagedAtMs: tx.nowMs,
  };
  tx.create(pods, translateApp(definition, instance, app));
}

/** The event does not name the task, so that the same thing happening to many is counted in one. */
function kill(tx: Tx, app: App, { pod }: Instance, reason: string): void {
  deletePod(tx, pod);
  recordEvent(tx, app, {
    type: "Normal",
    reason: "Killing",
    message: `Killing a task: ${reason}`,
    component: "marathon",
  });
}

/** With GROUP_BY, which group an instance counts in. */
function groupingOf(tx: Tx, { constraints = [] }: AppDefinition): ((instance: Instance) => string) | undefined {
  const [field] = constraints.find(([, operator]) => operator === "GROUP_BY") ?? [];
  if (field === undefined) return undefined;
  const label = topologyKeyOf(field);
  return ({ pod }) => {
    const node = pod.spec.nodeName === undefined ? undefined : tx.get(nodes, pod.spec.nodeName);
    return node?.metadata.labels?.[label] ?? pod.spec.nodeName ?? "";
  };
}
