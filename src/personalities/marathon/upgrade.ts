/**
 * Which instances to kill and how many to launch, so that an app comes to what is wanted (specification 1.5).
 * Level-triggered: the original decides once at the start of a deployment and then counts events; here every call
 * decides from what is, so a restart in the middle of a deployment needs no second path. Pure.
 */
import { type AppDefinition, isExclusive, isSingleInstance } from "./app-definition.ts";
import { type Instance, isActive, isGivenUp } from "./instance.ts";
import { killOrder } from "./kill-order.ts";

export interface InstancePlan {
  readonly kill: readonly { readonly instance: Instance; readonly reason: string }[];
  readonly launch: number;
}

export interface UpgradeInput {
  readonly app: AppDefinition;
  readonly instances: readonly Instance[];
  /** Old versions are left as they are (a deployment was cancelled with force). */
  readonly mixed: boolean;
  /** The topology values that GROUP_BY counts, per instance; undefined without such a constraint. */
  readonly groupOf?: (instance: Instance) => string;
}

export function planInstances(input: UpgradeInput): InstancePlan {
  const { app, instances, mixed } = input;
  const active = instances.filter(isActive);
  // One that is being killed still takes its place: until it has stopped, the ceiling holds.
  const old = mixed ? [] : instances.filter((one) => isLeft(one) && isOld(one, app));
  if (!isExclusive(app) && instances.some(isAlone)) return stopFirst(input, active);
  if (app.instances === 0 || old.length === 0) return scale(input, active);
  return replace(input, active, old);
}

/** It was made when the app was exclusive: whatever the app is now, nothing starts beside it. */
function isAlone(instance: Instance): boolean {
  return instance.isExclusive && instance.holdsItsPlace;
}

function stopFirst({ app }: UpgradeInput, active: readonly Instance[]): InstancePlan {
  const reason = `version ${app.version} replaces it, and nothing may run beside it`;
  return { kill: active.filter(isAlone).map((instance) => ({ instance, reason })), launch: 0 };
}

/** Neither over nor forgotten. */
function isLeft({ condition }: Instance): boolean {
  return condition !== "Ended" && condition !== "Gone";
}

/** Made from another configuration than the present one. Scaling alone makes no instance old. */
function isOld({ configVersion }: Instance, app: AppDefinition): boolean {
  return configVersion !== app.versionInfo.lastConfigChangeAt;
}

function scale({ app, instances, groupOf }: UpgradeInput, active: readonly Instance[]): InstancePlan {
  const surplus = killOrder(active, app.killSelection, active.length - app.instances, groupOf);
  const reason = `the app wants ${app.instances} instances and has ${active.length}`;
  return {
    kill: surplus.map((instance) => ({ instance, reason })),
    launch: Math.max(0, app.instances - active.length - inTheWay(app, instances)),
  };
}

/** Never two at once: how many beside the active ones have to have stopped before the next may start. */
function inTheWay(app: AppDefinition, instances: readonly Instance[]): number {
  if (isExclusive(app)) return instances.filter((one) => one.holdsItsPlace && !isActive(one)).length;
  if (!isSingleInstance(app)) return 0;
  return instances.filter(({ condition, isLeaving }) => condition === "Killing" || isLeaving).length;
}

/** Takes room under the ceiling. What is moved away is replaced before it goes, and what is lost takes no room. */
function takesRoom(app: AppDefinition, instance: Instance): boolean {
  if (isExclusive(app)) return instance.holdsItsPlace;
  return isLeft(instance) && !isGivenUp(instance) && (isSingleInstance(app) || !instance.isLeaving);
}

function replace(
  { app, instances }: UpgradeInput,
  active: readonly Instance[],
  allOld: readonly Instance[],
): InstancePlan {
  const old = allOld.filter(isActive);
  const { minimumHealthCapacity, maximumOverCapacity } = app.upgradeStrategy;
  const fresh = active.filter((instance) => !isOld(instance, app));
  const isAvailable = (instance: Instance) => instance.isHealthy && (isOld(instance, app) || instance.isReady);
  const available = active.filter(isAvailable).length;
  const floor = Math.ceil(app.instances * minimumHealthCapacity);
  let ceiling = Math.trunc(app.instances * (1 + maximumOverCapacity));
  // With 1.0 and 0.0 nothing could ever move: one above is allowed.
  if (floor === ceiling && ceiling <= available) ceiling += 1;

  const byHealth = old.toSorted(
    (a, b) => Number(isAvailable(a)) - Number(isAvailable(b)) || a.stagedAtMs - b.stagedAtMs,
  );
  const spare = Math.max(0, available - floor);
  // What runs of the old above what is wanted at all is left from an earlier, larger version.
  const kills = Math.max(spare, Math.min(old.length - app.instances, old.length));
  const running = instances.filter((instance) => takesRoom(app, instance)).length;
  const launch = Math.max(0, Math.min(app.instances - fresh.length, ceiling - running));
  const chosen = withinFloor(byHealth.slice(0, Math.max(0, kills)), isAvailable, spare);
  const stuck = chosen.length === 0 && launch === 0 && fresh.every(isAvailable) && running === active.length;
  // Nothing can be launched for want of capacity, and nothing healthy may go: an unhealthy one costs nothing.
  const last = stuck ? byHealth.filter((instance) => !isAvailable(instance)).slice(0, 1) : [];
  const reason = `version ${app.version} replaces it`;
  // Its node cannot be told now, and will be when it is back.
  const lost = allOld.filter(isGivenUp);
  return { kill: [...chosen, ...last, ...lost].map((instance) => ({ instance, reason })), launch };
}

/** Never takes more available instances than may be spared, whatever else asks for kills. */
function withinFloor(
  candidates: readonly Instance[],
  isAvailable: (instance: Instance) => boolean,
  spare: number,
): readonly Instance[] {
  let left = spare;
  return candidates.filter((instance) => !isAvailable(instance) || left-- > 0);
}

/** All that is wanted is there, and nothing else but what is lost or about to go: a deployment's step is done. */
export function isConverged({ app, instances, mixed }: UpgradeInput): boolean {
  const remaining = instances.filter((one) => isLeft(one) && !isGivenUp(one) && !one.isLeaving);
  if (remaining.length !== app.instances) return false;
  return remaining.every(
    (instance) => isActive(instance) && instance.isHealthy && instance.isReady && (mixed || !isOld(instance, app)),
  );
}
