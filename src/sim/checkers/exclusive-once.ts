import { controllerOf } from "../../model/meta.ts";
import type { Pod } from "../../model/pod.ts";
import { isExclusive } from "../../model/when-unreachable.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, type DriverCall, SimFailure, type World } from "../contract.ts";
import { PodBook } from "./pod-book.ts";

interface Running {
  readonly host: string;
  readonly podUid: string;
  readonly container: string;
  readonly attempt: number;
}

/** A host that goes on has ended by then what its guard is to end. */
const THAWED_MS = 1_000;

/** What runs is taken from the machines themselves, at the instant a run begins there. */
export class ExclusiveOnce implements Checker {
  readonly rule = "exclusive-once";
  readonly words = "At most one copy of an exclusive pod runs at any instant, anywhere.";
  judgements = 0;
  readonly #book = new PodBook();
  /** Also pods that are gone from the store: they may run on. */
  readonly #identities = new Map<string, string>();
  /** Copies wanted of an owner, the most ever: while it is scaled down the surplus is still stopping. */
  readonly #wanted = new Map<string, number>();
  readonly #running = new Map<string, Map<string, Running>>();
  /** Identities with a copy on a host that stood still, and when to look again. */
  readonly #later = new Map<string, number>();
  #hosts: World["hosts"] = new Map();
  #clock: World["clock"] | undefined;

  begin(world: Pick<World, "hosts" | "clock">): void {
    this.#clock = world.clock;
    this.#hosts = world.hosts;
  }

  started(store: Store): void {
    this.#book.restart(store);
    for (const pod of this.#book.all()) this.#learn(pod);
  }

  committed(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#book.take(change);
      const copies = copiesWanted(change.object as { spec?: unknown });
      const { uid } = change.object.metadata;
      if (copies !== undefined) this.#wanted.set(uid, Math.max(copies, this.#wanted.get(uid) ?? 1));
      const pod = this.#book.get(uid);
      if (pod) this.#learn(pod);
    }
  }

  driver(call: DriverCall): void {
    if (call.what === "power-off" && call.podUid === "") {
      for (const runs of this.#running.values())
        for (const [key, { host }] of runs) if (host === call.host) runs.delete(key);
      return;
    }
    const identity = this.#identities.get(call.podUid);
    if (identity === undefined) return;
    const runs = this.#running.get(identity) ?? new Map<string, Running>();
    this.#running.set(identity, runs);
    const key = `${call.host}/${call.podUid}/${call.container}/${call.attempt}`;
    if (call.what === "running") {
      runs.set(key, call);
      this.#judge(identity, runs);
    } else if (call.what === "exited" || call.what === "guard-kill" || call.what === "power-off") runs.delete(key);
  }

  /** Often enough to look again at what stood still. */
  heard(): void {
    const nowMs = this.#clock?.monotonic() ?? 0;
    for (const [identity, atMs] of [...this.#later]) {
      const runs = this.#running.get(identity) ?? new Map<string, Running>();
      if ([...runs.values()].some(({ host }) => this.#hosts.get(host)?.isFrozen)) continue;
      if (atMs === Number.POSITIVE_INFINITY) this.#later.set(identity, nowMs + THAWED_MS);
      else if (nowMs >= atMs) {
        this.#later.delete(identity);
        this.#judge(identity, runs);
      }
    }
  }

  #learn(pod: Pod): void {
    if (!isExclusive(pod)) return;
    this.#identities.set(pod.metadata.uid, controllerOf(pod)?.uid ?? pod.metadata.uid);
  }

  #judge(identity: string, runs: Map<string, Running>): void {
    this.judgements++;
    for (const [key, run] of runs) if (!this.#stillRuns(run)) runs.delete(key);
    const copies = new Map<string, Running>();
    for (const run of runs.values()) {
      // What stands still with its whole host does not run; its guard is due the moment that the host goes on.
      if (this.#hosts.get(run.host)?.isFrozen) {
        this.#later.set(identity, Number.POSITIVE_INFINITY);
        continue;
      }
      const twice = [...runs.values()].find(
        ({ podUid, container, attempt }) =>
          podUid === run.podUid && container === run.container && attempt !== run.attempt,
      );
      if (twice) throw new SimFailure(this.rule, `${words(run)} and ${words(twice)} run at once`);
      copies.set(`${run.host} ${run.podUid}`, run);
    }
    const most = this.#wanted.get(identity) ?? 1;
    if (copies.size > most) {
      const list = [...copies.values()].map(words).sort().join(" and ");
      throw new SimFailure(this.rule, `${copies.size} copies of ${identity} run at once, at most ${most} may: ${list}`);
    }
  }

  /** A machine that is not known (in tests) is believed. */
  #stillRuns({ host, podUid, container, attempt }: Running): boolean {
    const machine = this.#hosts.get(host)?.machine;
    return machine === undefined || machine.runs.get(`${podUid}/${container}/${attempt}`)?.observed.state === "running";
  }
}

function words({ host, podUid, container, attempt }: Running): string {
  return `${podUid}/${container} (attempt ${attempt}) on ${host}`;
}

function copiesWanted({ spec }: { readonly spec?: unknown }): number | undefined {
  const { replicas, definition } = (spec ?? {}) as { replicas?: unknown; definition?: { instances?: unknown } };
  const copies = replicas ?? definition?.instances;
  return typeof copies === "number" ? copies : undefined;
}
