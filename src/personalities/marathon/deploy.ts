/**
 * Every change of apps goes through here: it is refused while another deployment holds one of them, written down as a
 * new version and as a deployment, and carried out by the controllers.
 */
import { ApiError } from "../../model/errors.ts";
import { type Namespace, namespaces } from "../../model/namespace.ts";
import { rfc3339 } from "../../seams/clock.ts";
import type { Random } from "../../seams/random.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { Reader, Tx } from "../../store/transaction.ts";
import type { AppBody, AppDefinition } from "./app-definition.ts";
import { invalidObject, LockedError } from "./errors.ts";
import { groupsAbove, isWithin, nameOfId } from "./ids.ts";
import {
  API_VERSION,
  type App,
  type AppDeployment,
  appDeployments,
  appGroups,
  appKey,
  apps,
  isVisible,
  NAMESPACE,
} from "./kinds.ts";
import { type ChangeClass, classify, type PlannedChange, planSteps } from "./plan.ts";
import { type PortWarning, portClaims } from "./port-claims.ts";
import { servicePortsOf, withServicePorts } from "./service-ports.ts";
import { startStep } from "./steps.ts";
import { parseTimestamp, timestamp } from "./timestamp.ts";
import { forgetVersions, writeVersion } from "./versions.ts";

/** What one app is to be; no target = it is to go. */
export interface AppChange {
  readonly id: string;
  readonly target: AppBody | undefined;
  readonly restart?: boolean;
}

export interface DeployOptions {
  readonly force: boolean;
  readonly random: Random;
}

export interface DeployResult {
  readonly version: string;
  readonly deploymentId: string;
  /** What is accepted and does not work yet, in words for who sent it. */
  readonly warnings?: readonly string[];
}

/** How many deployments may run at once: Marathon's max_running_deployments. */
const MOST_DEPLOYMENTS = 100;

export function visibleApps(reader: Reader): readonly App[] {
  return reader.list(apps, NAMESPACE).filter(isVisible);
}

export function visibleApp(reader: Reader, id: string): App | undefined {
  const app = reader.get(apps, appKey(nameOfId(id)));
  return app && isVisible(app) ? app : undefined;
}

/** Throws LockedError, Forbidden (too many deployments), or "Object is not valid"; then nothing has changed. */
export function deploy(tx: Tx, changes: readonly AppChange[], { force, random }: DeployOptions): DeployResult {
  const there = visibleApps(tx);
  const present = new Map(there.map((app) => [app.spec.definition.id, app.spec.definition]));
  const planned = withPorts(changes, present);
  const { violations, warnings: claims } = portClaims(tx, planned, there);
  const warnings = claims.map(({ text }) => text);
  if (violations.length > 0) throw invalidObject(violations);
  const affected = planned.filter((change) => classify(change) !== "none");
  const version = nextVersion(tx, affected);
  const deploymentId = random.uuid();
  if (affected.length === 0) return { version, deploymentId, warnings };

  const ids = affected.map(({ id }) => id);
  takeOver(tx, ids, force);
  const wanted = wantedApps(present, affected);
  const steps = planSteps(affected, withGroupDependencies(tx, wanted));
  assertNoGroupClash(wanted, affected);
  ensureNamespace(tx);
  for (const change of affected) writeApp(tx, change, version);
  for (const claim of claims) warnOf(tx, claim);
  const original = Object.fromEntries(affected.map(({ id, before }) => [id, before ?? null]));
  const deployment = tx.create(appDeployments, {
    apiVersion: API_VERSION,
    kind: "AppDeployment",
    metadata: { name: deploymentId, namespace: NAMESPACE },
    spec: { version, affectedApps: ids.toSorted(), steps, original },
    status: { currentStep: 1 },
  });
  startStep(tx, deployment);
  return { version, deploymentId, warnings };
}

/** Also for who did not see the answer. */
function warnOf(tx: Tx, { id, text: message }: PortWarning): void {
  const app = visibleApp(tx, id);
  if (app) recordEvent(tx, app, { type: "Warning", reason: "ServicePortTaken", message, component: "marathon" });
}

/** What a deployment of these changes would do. */
export function dryRun(tx: Reader, changes: readonly AppChange[]): AppDeployment["spec"]["steps"] {
  const present = new Map(visibleApps(tx).map((app) => [app.spec.definition.id, app.spec.definition]));
  const planned = withPorts(changes, present);
  return planSteps(planned, withGroupDependencies(tx, wantedApps(present, planned)));
}

/** Cancelled deployments leave their apps to follow what is wanted of them now, or with `freeze` as they are. */
export function cancelDeployment(tx: Tx, deployment: AppDeployment, freeze: boolean): void {
  tx.update(appDeployments, { ...deployment, status: { ...deployment.status, cancelled: true } });
  tx.remove(appDeployments, `${NAMESPACE}/${deployment.metadata.name}`);
  for (const id of deployment.spec.affectedApps) {
    const app = tx.get(apps, appKey(nameOfId(id)));
    if (!app) continue;
    const spec = { ...app.spec, active: app.spec.definition, ...(freeze ? { mixed: true } : {}) };
    tx.update(apps, { ...app, spec });
  }
}

function takeOver(tx: Tx, ids: readonly string[], force: boolean): void {
  const conflicting = new Map<string, AppDeployment>();
  for (const id of ids) {
    for (const deployment of tx.by(appDeployments, "app", id)) conflicting.set(deployment.metadata.name, deployment);
  }
  if (conflicting.size > 0 && !force) throw new LockedError([...conflicting.keys()].sort());
  for (const deployment of conflicting.values()) cancelDeployment(tx, deployment, false);
  if (tx.list(appDeployments, NAMESPACE).length >= MOST_DEPLOYMENTS) {
    throw new ApiError(
      "Forbidden",
      `Max number (${MOST_DEPLOYMENTS}) of running deployments is achieved. Wait for existing deployments to complete or cancel one using force=true parameter.`,
    );
  }
}

function withPorts(
  changes: readonly AppChange[],
  present: ReadonlyMap<string, AppDefinition>,
): readonly PlannedChange[] {
  const changing = new Set(changes.map(({ id }) => id));
  const taken = new Set<number>();
  for (const [id, app] of present) if (!changing.has(id)) for (const port of servicePortsOf(app)) taken.add(port);
  // Old ports of the apps that change are theirs to use again, so nobody else in this change may have them.
  const owned = new Map([...present].filter(([id]) => changing.has(id)).map(([id, app]) => [id, servicePortsOf(app)]));
  return changes.map(({ id, target, restart = false }) => {
    const before = present.get(id);
    const others = [...owned].filter(([other]) => other !== id).flatMap(([, ports]) => ports);
    const after = target && withServicePorts(target, new Set([...taken, ...others]), before);
    if (after) for (const port of servicePortsOf(after)) taken.add(port);
    return { id, before, after, restart };
  });
}

function wantedApps(
  present: ReadonlyMap<string, AppDefinition>,
  changes: readonly PlannedChange[],
): ReadonlyMap<string, AppBody> {
  const wanted = new Map<string, AppBody>(present);
  for (const { id, after } of changes) {
    if (after) wanted.set(id, after);
    else wanted.delete(id);
  }
  return wanted;
}

/** What a group depends on, each app in it depends on. */
function withGroupDependencies(reader: Reader, wanted: ReadonlyMap<string, AppBody>): ReadonlyMap<string, AppBody> {
  const groups = reader.list(appGroups, NAMESPACE).filter(({ spec }) => spec.dependencies.length > 0);
  if (groups.length === 0) return wanted;
  const added = (id: string) =>
    groups.filter(({ spec }) => isWithin(id, spec.id)).flatMap(({ spec }) => spec.dependencies);
  return new Map(
    [...wanted].map(([id, app]) => [id, { ...app, dependencies: [...(app.dependencies ?? []), ...added(id)] }]),
  );
}

function assertNoGroupClash(wanted: ReadonlyMap<string, AppBody>, changes: readonly PlannedChange[]): void {
  const groups = new Set([...wanted.keys()].flatMap(groupsAbove));
  const clashes = changes.some(
    ({ id, after }) => after && (groups.has(id) || groupsAbove(id).some((group) => wanted.has(group))),
  );
  if (clashes) {
    throw invalidObject([{ field: "/", message: "Groups and Applications may not have the same identifier." }]);
  }
}

/** Versions are moments; two changes of an app within one millisecond still get two. */
function nextVersion(tx: Tx, changes: readonly PlannedChange[]): string {
  const before = changes.map(({ before }) => (before && parseTimestamp(before.version)) ?? 0);
  return timestamp(Math.max(tx.nowMs, ...before.map((ms) => ms + 1)));
}

function writeApp(tx: Tx, change: PlannedChange, version: string): void {
  const { id, before, after } = change;
  const name = nameOfId(id);
  const stored = tx.get(apps, appKey(name));
  if (!after) {
    if (stored) tx.update(apps, { ...stored, metadata: { ...stored.metadata, deletionTimestamp: rfc3339(tx.nowMs) } });
    forgetVersions(tx, name);
    return;
  }
  const definition = versioned(after, before, version, classify(change));
  if (!stored) {
    const metadata = { name, namespace: NAMESPACE };
    tx.create(apps, { apiVersion: API_VERSION, kind: "App", metadata, spec: { definition }, status: {} });
  } else {
    const { deletionTimestamp, ...metadata } = stored.metadata;
    // An app that is made again while its last tasks stop begins anew.
    const spec = deletionTimestamp === undefined ? { ...stored.spec, definition } : { definition };
    const { backoff: _, ...status } = deletionTimestamp === undefined ? stored.status : {};
    tx.update(apps, { ...stored, metadata, spec, status });
  }
  writeVersion(tx, name, definition);
}

function versioned(
  after: AppBody,
  before: AppDefinition | undefined,
  version: string,
  kind: ChangeClass,
): AppDefinition {
  const versionInfo =
    kind === "scale" && before
      ? { lastScalingAt: version, lastConfigChangeAt: before.versionInfo.lastConfigChangeAt }
      : { lastScalingAt: version, lastConfigChangeAt: version };
  return { ...after, version, versionInfo };
}

function ensureNamespace(tx: Tx): void {
  if (tx.get(namespaces, NAMESPACE)) return;
  tx.create<Namespace>(namespaces, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE },
    spec: {},
    status: { phase: "Active" },
  });
}
