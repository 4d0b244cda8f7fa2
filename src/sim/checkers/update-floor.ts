import { disruptionOf } from "../../model/disruption.ts";
import { OWNER_INDEX } from "../../model/meta.ts";
import { nodeDrains } from "../../model/node-drain.ts";
import { isLive, isReady, type Pod, pods } from "../../model/pod.ts";
import { isExclusive } from "../../model/when-unreachable.ts";
import { type App, apps } from "../../personalities/marathon/kinds.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure, type SimRequest, type World } from "../contract.ts";
import { podChanges, podWords } from "./pod-book.ts";

/** What a person killed is not the update's doing; the request may be lost on its way, so a while is left for it. */
const ASKED_WITHIN_MS = 60_000;

/** Deadlines are written down in whole seconds. */
const ROUNDED_MS = 1_000;

/**
 * The floor of a Marathon app is minimumHealthCapacity of its instances. Judged when a ready copy is asked to go: what
 * nodes and programs lose by themselves is nobody's doing.
 */
export class UpdateFloor implements Checker {
  readonly rule = "update-floor";
  readonly words = "An update never takes an app below its floor of ready instances by its own doing.";
  judgements = 0;
  readonly #apps = new Map<string, App>();
  /** Pods by the uid of their app. */
  readonly #members = new Map<string, Map<string, Pod>>();
  /** Ready copies when a drain or a rebalance began to move a pod, by its uid. */
  readonly #before = new Map<string, number>();
  #clock: Clock | undefined;
  #killedMs = Number.NEGATIVE_INFINITY;

  begin({ clock }: Pick<World, "clock">): void {
    this.#clock = clock;
  }

  asked({ method, path }: SimRequest): void {
    const isKill = /\/tasks|\/pods/.test(path) && (method === "DELETE" || method === "POST");
    if (isKill) this.#killedMs = this.#clock?.monotonic() ?? 0;
  }

  started(store: Store): void {
    this.#apps.clear();
    this.#members.clear();
    for (const app of store.list(apps)) this.#apps.set(app.metadata.uid, app);
    for (const app of this.#apps.values())
      for (const pod of store.by(pods, OWNER_INDEX, app.metadata.uid)) this.#join(pod);
  }

  committed(changes: readonly Change[], store: Store): void {
    for (const change of changes) {
      if (change.kind.name === apps.name) {
        if (change.type === "removed") this.#apps.delete(change.object.metadata.uid);
        else this.#apps.set(change.object.metadata.uid, change.object as App);
      }
      for (const { before, after } of podChanges([change])) {
        if (after) this.#join(after);
        else if (before) this.#leave(before);
        if (after && isMoving(after) && !(before && isMoving(before))) this.#servingBefore(after);
        if (before && isServing(before) && !(after && isLive(after)) && !isOver(after))
          if (!this.#isPastDeadline(before, store)) this.#judge(before);
      }
    }
  }

  #join(pod: Pod): void {
    const owner = ownerOf(pod);
    if (owner === undefined) return;
    const members = this.#members.get(owner) ?? new Map<string, Pod>();
    members.set(pod.metadata.uid, pod);
    this.#members.set(owner, members);
  }

  #leave(pod: Pod): void {
    this.#members.get(ownerOf(pod) ?? "")?.delete(pod.metadata.uid);
  }

  /** A person has said by when a node has to be empty, come what may. */
  #isPastDeadline({ spec }: Pod, store: Store): boolean {
    const { deadline } = store.get(nodeDrains, spec.nodeName ?? "")?.spec ?? {};
    return deadline !== undefined && Date.parse(deadline) <= (this.#clock?.now() ?? 0) + ROUNDED_MS;
  }

  #servingBefore(pod: Pod): void {
    this.#before.set(pod.metadata.uid, this.#servingOf(ownerOf(pod)));
  }

  #servingOf(owner: string | undefined): number {
    return [...(this.#members.get(owner ?? "")?.values() ?? [])].filter(isServing).length;
  }

  #judge(asked: Pod): void {
    const app = this.#apps.get(ownerOf(asked) ?? "");
    if (!app || app.metadata.deletionTimestamp !== undefined || isExclusive(asked)) return;
    if ((this.#clock?.monotonic() ?? 0) - this.#killedMs < ASKED_WITHIN_MS) return;
    const { instances, upgradeStrategy } = app.spec.active ?? app.spec.definition;
    const wanted = Math.min(instances, app.spec.definition.instances);
    const floor = Math.ceil(wanted * upgradeStrategy.minimumHealthCapacity);
    this.judgements++;
    const serving = this.#servingOf(app.metadata.uid);
    // One that was being moved when the app was below its floor: not fewer than then.
    const least = Math.min(floor, this.#before.get(asked.metadata.uid) ?? floor);
    if (serving < least) {
      const words = `${serving} ready instances are left of ${wanted}, at least ${floor} have to be`;
      throw new SimFailure(this.rule, `${podWords(asked)} of ${app.spec.definition.id} was asked to go: ${words}`);
    }
  }
}

/** Also one that a drain is about to move: it serves until it is asked to go. */
function isServing(pod: Pod): boolean {
  return isLive(pod) && isReady(pod);
}

function isMoving(pod: Pod): boolean {
  const reason = disruptionOf(pod)?.reason;
  return reason === "Drain" || reason === "Rebalance";
}

/** It ended by itself. */
function isOver(pod: Pod | undefined): boolean {
  return pod?.status.phase === "Succeeded" || pod?.status.phase === "Failed";
}

function ownerOf({ metadata }: Pod): string | undefined {
  return metadata.ownerReferences?.find(({ kind }) => kind === apps.name)?.uid;
}
