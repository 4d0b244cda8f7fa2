import type { RouteEntry } from "../../model/network.ts";
import { planWayIn, type WayInPlan } from "./plan.ts";

/** The plan of routes that are the same objects as before is the same object, and so is each backend that is as it was. */
export class Planner {
  #routes: readonly RouteEntry[] = [];
  #plan: WayInPlan | undefined;

  plan(all: Iterable<RouteEntry>): WayInPlan {
    const routes = [...all];
    const areSame = routes.length === this.#routes.length && routes.every((route, at) => route === this.#routes[at]);
    if (this.#plan === undefined || !areSame) this.#plan = planWayIn(routes, this.#plan?.backends);
    this.#routes = routes;
    return this.#plan;
  }
}
