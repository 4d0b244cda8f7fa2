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
  readonly words =
    "At most one copy of an exclusive pod runs at any instant, anywhere; deleted and applied again it is the same.";
  judgements = 0;
  readonly #book = new PodBook();
  /** What its user would call the same thing, by uid. Also of pods that are gone from the store: they may run on. */
  readonly #identities = new Map<string, string>();
  /** Uids: nothing of the same identity may run beside these, whatever its own definition says. */
  readonly #alone = new Set<string>();
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
      const pod = this.#book.get(change.object.metadata.uid);
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

  /** Once and for all: an orphan is still what it was, unless another takes it up. */
  #learn(pod: Pod): void {
    const { uid, name, namespace } = pod.metadata;
    const owner = controllerOf(pod);
    if (isExclusive(pod)) this.#alone.add(uid);
    const before = this.#identities.get(uid);
    const own = before ?? `Pod ${namespace}/${name}`;
    const identity = owner ? `${owner.apiVersion} ${owner.kind} ${namespace}/${owner.name}` : own;
    this.#identities.set(uid, identity);
    if (before !== undefined && before !== identity) this.#takeUp(uid, before, identity);
  }

  #takeUp(uid: string, before: string, identity: string): void {
    const [from, to] = [this.#running.get(before) ?? [], this.#running.get(identity) ?? new Map<string, Running>()];
    for (const [key, run] of from) if (run.podUid === uid) to.set(key, run);
    this.#running.set(identity, to);
  }

  #judge(identity: string, runs: Map<string, Running>): void {
    for (const [key, run] of runs)
      if (!this.#stillRuns(run) || this.#identities.get(run.podUid) !== identity) runs.delete(key);
    if (![...runs.values()].some(({ podUid }) => this.#alone.has(podUid))) return;
    this.judgements++;
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
    if (copies.size > 1 && [...copies.values()].some(({ podUid }) => this.#alone.has(podUid))) {
      const list = [...copies.values()].map(words).sort().join(" and ");
      throw new SimFailure(this.rule, `${copies.size} copies of ${identity} run at once: ${list}`);
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
