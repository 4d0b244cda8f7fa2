import { controllerOf } from "../../model/meta.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure, type World } from "../contract.ts";
import { givenUp } from "./moves.ts";
import { SettingsBook } from "./settings-book.ts";

interface Bucket {
  level: number;
  atMs: number;
}

/** What was decided in turn may be written at once, by a journal that stood still for so long. */
const BUNCHED_MS = 2_000;
const AFTER_JOURNAL_TROUBLE_MS = 120_000;

export class MovesLimited implements Checker {
  readonly rule = "moves-limited";
  readonly words =
    "Pods of lost nodes are replaced no faster than the limits for the cluster and for each workload allow.";
  judgements = 0;
  readonly #settings = new SettingsBook();
  readonly #cluster = new Map<string, Bucket>();
  #clock: Clock | undefined;
  #journalTroubleMs = Number.NEGATIVE_INFINITY;

  begin({ clock }: Pick<World, "clock">): void {
    this.#clock = clock;
  }

  started(store: Store): void {
    this.#settings.restart(store);
    this.#cluster.clear();
  }

  fault(text: string): void {
    if (/journal/i.test(text)) this.#journalTroubleMs = this.#clock?.monotonic() ?? 0;
  }

  committed(changes: readonly Change[]): void {
    this.#settings.take(changes);
    const moved = givenUp(changes);
    if (moved.length === 0) return;
    const now = this.#clock?.monotonic() ?? 0;
    if (now - this.#journalTroubleMs < AFTER_JOURNAL_TROUBLE_MS) return;
    for (const pod of moved) {
      this.judgements++;
      this.#spend("the cluster", now, "movesBurst", "movesPerSecond");
      const owner = controllerOf(pod);
      if (owner) this.#spend(`${owner.kind} ${owner.name}`, now, "workloadMovesBurst", "workloadMovesPerSecond");
    }
  }

  #spend(whose: string, now: number, burst: Limit, perSecond: Limit): void {
    const [most, rate] = [this.#settings.most(burst), this.#settings.most(perSecond)];
    const full = most + (rate * BUNCHED_MS) / 1000 + 1;
    const bucket = this.#cluster.get(whose) ?? { level: full, atMs: now };
    this.#cluster.set(whose, bucket);
    bucket.level = Math.min(full, bucket.level + ((now - bucket.atMs) * rate) / 1000) - 1;
    bucket.atMs = now;
    if (bucket.level < 0)
      throw new SimFailure(this.rule, `more pods of ${whose} were moved than ${most} at once and ${rate} a second`);
  }
}

type Limit = "movesBurst" | "movesPerSecond" | "workloadMovesBurst" | "workloadMovesPerSecond";
