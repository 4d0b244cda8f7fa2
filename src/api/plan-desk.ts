/**
 * Makes plans for a rebalance: one at a time, in slices of time, so that neither a large cluster nor many who ask hold
 * anybody up. Who asks the same of the same state of the store gets the same plan.
 */
import { CopiesBook } from "../model/copies-book.ts";
import { ApiError } from "../model/errors.ts";
import { nodes } from "../model/node.ts";
import { pods } from "../model/pod.ts";
import type { RebalancePlan } from "../model/rebalance.ts";
import { planRebalance } from "../scheduling/rebalance/plan-rebalance.ts";
import type { StyrApiContext } from "./context.ts";

/** The event loop is given back after so long, for as long: who asks again and again takes no more than half of it. */
const SLICE_MS = 8;
const RETRY_SECONDS = 1;

interface Order {
  readonly budget: number;
  readonly plan: Promise<RebalancePlan>;
}

interface Made {
  readonly budget: number;
  readonly revision: number;
  readonly plan: RebalancePlan;
}

type PlanContext = Pick<StyrApiContext, "store" | "clock" | "copies" | "strategy">;

export class PlanDesk {
  readonly #context: PlanContext;
  readonly #book: CopiesBook;
  #underWay: (Order & { readonly revision: number }) | undefined;
  /** Begins when the one under way has ended; sees the store as it is then. */
  #next: Order | undefined;
  #last: Made | undefined;

  constructor(context: PlanContext) {
    this.#context = context;
    this.#book = new CopiesBook(context.copies ?? []);
  }

  /** Of the cluster as it is now, or in a moment. Rejects with TooManyRequests when others are before us. */
  plan(budget: number): Promise<RebalancePlan> {
    const { revision } = this.#context.store;
    const isSame = (one: { readonly budget: number; readonly revision: number }) =>
      one.budget === budget && one.revision === revision;
    if (this.#last && isSame(this.#last)) return Promise.resolve(this.#last.plan);
    if (this.#underWay && isSame(this.#underWay)) return this.#underWay.plan;
    if (this.#next?.budget === budget) return this.#next.plan;
    if (this.#next) {
      const busy = "others have asked what could be gained by moves, and one plan is made at a time";
      return Promise.reject(new ApiError("TooManyRequests", busy, { retryAfterSeconds: RETRY_SECONDS }));
    }
    if (!this.#underWay) return this.#begin(budget);
    const before = this.#underWay.plan;
    const begin = () => this.#begin(budget);
    const plan = before.then(begin, begin);
    this.#next = { budget, plan };
    return plan;
  }

  #begin(budget: number): Promise<RebalancePlan> {
    this.#next = undefined;
    const { revision } = this.#context.store;
    const plan = this.#make(budget, revision);
    this.#underWay = { budget, revision, plan };
    return plan;
  }

  async #make(budget: number, revision: number): Promise<RebalancePlan> {
    try {
      const plan = await this.#inSlices(budget);
      this.#last = { budget, revision, plan };
      return plan;
    } finally {
      this.#underWay = undefined;
    }
  }

  async #inSlices(budget: number): Promise<RebalancePlan> {
    const { store, clock, strategy = "spread" } = this.#context;
    const now = { nodes: store.list(nodes), pods: store.list(pods) };
    const steps = planRebalance({ ...now, book: this.#book, reader: store, strategy, budget });
    let until = clock.monotonic() + SLICE_MS;
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      if (clock.monotonic() < until) continue;
      await clock.sleep(SLICE_MS);
      until = clock.monotonic() + SLICE_MS;
    }
  }
}
