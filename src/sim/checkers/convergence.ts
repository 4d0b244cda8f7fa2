import { isActive, isDisrupted } from "../../model/disruption.ts";
import { OWNER_INDEX } from "../../model/meta.ts";
import { isNodeReady, nodes } from "../../model/node.ts";
import { isReady, isTerminal, type Pod, pods, type UnitOption } from "../../model/pod.ts";
import { type ReplicationController, replicationControllers } from "../../model/replication-controller.ts";
import { units } from "../../personalities/fleet/kinds.ts";
import { type App, apps } from "../../personalities/marathon/kinds.ts";
import { refusalOf } from "../../scheduling/bind-pod.ts";
import type { Store } from "../../store/store.ts";
import { type Checker, SimFailure, type SimHost, type World } from "../contract.ts";
import { podWords } from "./pod-book.ts";
import { runsForGood } from "./runs-for-good.ts";

const WITHIN_MS = 180_000;
const EVERY_MS = 1_000;

export class Convergence implements Checker {
  readonly rule = "convergence";
  readonly words =
    "Three minutes after everything is healed, what is wanted is what is: copies are there and ready, nothing else runs, and nothing is left behind.";
  judgements = 0;

  async settled(world: World): Promise<void> {
    this.judgements++;
    if (await world.runUntil(() => problemsOf(world).length === 0, WITHIN_MS, EVERY_MS)) return;
    const problems = problemsOf(world);
    const more = problems.length > 8 ? `; and ${problems.length - 8} more` : "";
    throw new SimFailure(this.rule, `${problems.slice(0, 8).join("; ")}${more}`);
  }
}

/** What is not yet as it is wanted, in words. */
export function problemsOf({ server, hosts }: Pick<World, "server" | "hosts">): readonly string[] {
  const { store } = server;
  if (!store) return ["the control plane is down"];
  return [
    ...[...hosts.values()].flatMap((host) => hostProblems(host, store)),
    ...store.list(pods).flatMap(podProblems),
    ...store.list(replicationControllers).flatMap((rc) => controllerProblems(rc, store)),
    ...store.list(apps).flatMap((app) => {
      if (app.metadata.deletionTimestamp !== undefined) return [`app ${app.spec.definition.id} is still being deleted`];
      const { id, instances } = app.spec.definition;
      if (isHeldUp(app, store)) return [];
      return copiesProblems(`app ${id}`, instances, store.by(pods, OWNER_INDEX, app.metadata.uid));
    }),
    ...unitProblems(store),
  ];
}

/** Its deployment waits for an app that it depends on, and that one waits for room, with a reason of its own. */
function isHeldUp({ spec }: App, store: Store): boolean {
  const needed = spec.definition.dependencies ?? [];
  if (needed.length === 0) return false;
  return store
    .list(apps)
    .filter((other) => needed.includes(other.spec.definition.id))
    .flatMap((other) => store.by(pods, OWNER_INDEX, other.metadata.uid))
    .some((pod) => pod.spec.nodeName === undefined && refusalOf(pod) !== undefined);
}

function hostProblems(host: SimHost, store: Store): readonly string[] {
  const node = store.get(nodes, host.name);
  if (!node) return [];
  const bound = new Map(store.by(pods, "node", host.name).map((pod) => [pod.metadata.uid, pod]));
  const running = [...host.machine.runs.values()].filter(({ observed }) => observed.state === "running");
  const strangers = running.filter(({ run }) => {
    const pod = bound.get(run.ref.podUid);
    return pod === undefined || isTerminal(pod);
  });
  const left = [...host.machine.pods].filter((uid) => !bound.has(uid));
  return [
    ...(isNodeReady(node) ? [] : [`node ${host.name} is not ready`]),
    ...(node.spec.taints ?? [])
      .filter(({ key }) => key === "node.kubernetes.io/unreachable")
      .map(() => `node ${host.name} is still tainted unreachable`),
    ...strangers.map(({ run }) => `${run.ref.container} of ${run.ref.podUid} runs on ${host.name}, unwanted`),
    ...left.map((uid) => `something of pod ${uid} is left on ${host.name}`),
  ];
}

function podProblems(pod: Pod): readonly string[] {
  const words = podWords(pod);
  if (pod.metadata.deletionTimestamp !== undefined) return [`${words} is still being stopped`];
  if (isTerminal(pod)) return [];
  if (pod.spec.nodeName === undefined) return refusalOf(pod) === undefined ? [`${words} waits for the scheduler`] : [];
  // A drain that nobody has ended keeps what cannot be elsewhere.
  const reason = pod.status.conditions?.find(({ type }) => type === "DisruptionTarget")?.reason;
  if (isDisrupted(pod) && reason === "NodeUnreachable") return [`${words} is still given up`];
  if (!runsForGood(pod) || isReady(pod)) return [];
  return [`${words} on ${pod.spec.nodeName} is not ready`];
}

function controllerProblems(rc: ReplicationController, store: Store): readonly string[] {
  if (rc.metadata.deletionTimestamp !== undefined) return [];
  const words = `replication controller ${rc.metadata.namespace}/${rc.metadata.name}`;
  const owned = store.by(pods, OWNER_INDEX, rc.metadata.uid);
  const ready = owned.filter((pod) => isActive(pod) && isReady(pod)).length;
  const counted = rc.status.readyReplicas ?? 0;
  return [
    ...copiesProblems(words, rc.spec.replicas, owned),
    ...(counted === ready ? [] : [`${words} counts ${counted} ready copies of ${ready}`]),
  ];
}

/** Copies that end again and again come and go: theirs are not counted. Where a new version finds no room, its update waits. */
function copiesProblems(words: string, wanted: number, owned: readonly Pod[]): readonly string[] {
  const active = owned.filter(isActive);
  if (active.length === wanted || owned.some((pod) => !runsForGood(pod))) return [];
  if (active.length > wanted && active.some((pod) => pod.spec.nodeName === undefined)) return [];
  return [`${words} has ${active.length} copies of ${wanted}`];
}

/** A unit that has ended by itself is not started again: fleet leaves that to its Restart=. */
function unitProblems(store: Store): readonly string[] {
  return store.list(units).flatMap((unit) => {
    const { name, uid } = unit.metadata;
    const { desiredState, options } = unit.spec;
    if (isGlobal(options) || /@\.\w+$/.test(name)) return [];
    const owned = store.by(pods, OWNER_INDEX, uid);
    const active = owned.filter(isActive).length;
    const wanted = desiredState === "inactive" ? 0 : 1;
    const hasEnded = owned.some(isTerminal);
    if (active === wanted || (active === 0 && hasEnded)) return [];
    return [`unit ${name} is to be ${desiredState} and has ${active} pods`];
  });
}

function isGlobal(options: readonly UnitOption[]): boolean {
  return options.some(({ section, name, value }) => section === "X-Fleet" && name === "Global" && value === "true");
}
