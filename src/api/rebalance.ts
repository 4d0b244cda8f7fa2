/**
 * /styr/v1/rebalance: GET …/plan says what could be gained and changes nothing, PUT does it, GET says how it fares, DELETE
 * stops it. The moves are a controller's: whoever asked may go away.
 */
import type { Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import {
  REBALANCE_AT_ONCE,
  REBALANCE_NAME,
  type Rebalance,
  type RebalancePlan,
  type RebalanceReport,
  rebalances,
} from "../model/rebalance.ts";
import { rfc3339 } from "../seams/clock.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Tx } from "../store/transaction.ts";
import type { StyrApiContext } from "./context.ts";
import { PlanDesk } from "./plan-desk.ts";
import { optionsOf, wholeNumber } from "./request-options.ts";

const PATH = "/styr/v1/rebalance";
const DEFAULT_BUDGET = 20;
const MOST_MOVES = 2_000;

export function rebalanceRoutes(context: StyrApiContext): readonly Route[] {
  const { store } = context;
  const forLookers = new PlanDesk(context);
  // Whoever may only look cannot keep those waiting who may act.
  const forDoers = new PlanDesk(context);
  const present = () => {
    const rebalance = store.get(rebalances, REBALANCE_NAME);
    if (!rebalance) throw new ApiError("NotFound", "nothing has been rebalanced yet", { kind: "Rebalance" });
    return Response.json(rebalanceReport(rebalance));
  };
  return [
    {
      method: "GET",
      path: `${PATH}/plan`,
      access: { verb: "read", resource: "workloads" },
      handle: async (_request, { url }) => Response.json(await forLookers.plan(budgetOf(url))),
    },
    { method: "GET", path: PATH, access: { verb: "read", resource: "workloads" }, handle: present },
    {
      method: "PUT",
      path: PATH,
      access: { verb: "write", resource: "workloads" },
      async handle(request, { actor }) {
        const options = await optionsOf(request, ["budget", "atOnce"]);
        const { budget = DEFAULT_BUDGET } = wholeNumber(options, "budget", 1, MOST_MOVES);
        const { atOnce = REBALANCE_AT_ONCE } = wholeNumber(options, "atOnce", 1, 100);
        refuseSecond(store.get(rebalances, REBALANCE_NAME));
        const plan = await forDoers.plan(budget);
        await store.update((tx) => beginRebalance(tx, plan, atOnce, actor.name));
        return present();
      },
    },
    {
      method: "DELETE",
      path: PATH,
      access: { verb: "write", resource: "workloads" },
      async handle(_request, { actor }) {
        await store.update((tx) => stopRebalance(tx, actor.name));
        return present();
      },
    },
  ];
}

function budgetOf(url: URL): number {
  const text = url.searchParams.get("budget");
  const options = text === null ? {} : { budget: /^\d{1,9}$/.test(text) ? Number(text) : text };
  return wholeNumber(options, "budget", 1, MOST_MOVES).budget ?? DEFAULT_BUDGET;
}

function refuseSecond(present: Rebalance | undefined): void {
  if (present?.status.phase !== "running") return;
  throw new ApiError("AlreadyExists", "a rebalance is under way already", { kind: "Rebalance" });
}

export function beginRebalance(tx: Tx, { moves }: RebalancePlan, atOnce: number, by: string): void {
  const present = tx.get(rebalances, REBALANCE_NAME);
  refuseSecond(present);
  if (present) tx.remove(rebalances, REBALANCE_NAME);
  const startedAt = rfc3339(tx.nowMs);
  const ended = moves.length === 0 ? ({ phase: "done", endedAt: startedAt } as const) : ({ phase: "running" } as const);
  const created = tx.create<Rebalance>(rebalances, {
    apiVersion: rebalances.apiVersion,
    kind: "Rebalance",
    metadata: { name: REBALANCE_NAME },
    spec: { by, atOnce, moves },
    status: { ...ended, startedAt, moves: [] },
  });
  if (moves.length === 0) return;
  const message = `${by} rebalances the cluster: ${moves.length} ${moves.length === 1 ? "move" : "moves"}, ${atOnce} at once`;
  recordEvent(tx, created, { type: "Normal", reason: "Rebalancing", message, component: "rebalance" });
}

/** Stopped or ended already is fine. */
export function stopRebalance(tx: Tx, by: string): void {
  const present = tx.get(rebalances, REBALANCE_NAME);
  if (present?.status.phase !== "running" || present.spec.stoppedBy !== undefined) return;
  tx.update(rebalances, { ...present, spec: { ...present.spec, stoppedBy: by } });
}

export function rebalanceReport({ spec, status }: Rebalance): RebalanceReport {
  const total = spec.moves.length;
  const count = (...states: string[]) => status.moves.filter(({ state }) => states.includes(state)).length;
  const done = count("done");
  const parts = [
    `${done} of ${total} moved`,
    ...words(count("starting", "stopping"), "under way"),
    ...words(count("skipped"), "skipped"),
    ...words(count("undone"), "called off"),
  ];
  const summary = total === 0 ? "nothing to gain" : parts.join(", ");
  return { ...status, by: spec.by, atOnce: spec.atOnce, total, done, summary };
}

function words(count: number, what: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}
