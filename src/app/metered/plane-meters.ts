/** What a control plane counts, put together: control-plane.ts passes its parts through here. */
import type { ControllerRunner } from "../../controllers/runner.ts";
import type { Mounted, Served } from "../../http/mount.ts";
import { withMembers } from "../../lib/with-members.ts";
import { Meters } from "../../metrics/meters.ts";
import { SERVER_METRICS, type ServerMeters } from "../../metrics/server-metrics.ts";
import type { Scheduler } from "../../scheduling/scheduler.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Link, LinkListener } from "../../seams/link.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../../store/store.ts";
import { type LinkCounters, meteredLink, meteredListener, serverLinkCounters } from "./metered-link.ts";
import { PodPaces } from "./pod-paces.ts";

interface Followed {
  readonly store: Store;
  readonly runner: ControllerRunner;
  readonly scheduler: Scheduler;
  readonly agents: () => number;
  readonly streams: () => number;
  readonly signal: AbortSignal;
}

interface Standing {
  readonly leads: boolean;
  readonly knowsLeader: boolean;
  /** Undefined where nobody else could lead. */
  readonly term: number | undefined;
}

export class PlaneMeters {
  readonly meters: ServerMeters;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #links: LinkCounters;
  #inFlight = 0;

  /** `meters`: those of the process, where it has more than one plane in its life. */
  constructor({ clock, log, meters }: { readonly clock: Clock; readonly log: Log; readonly meters?: ServerMeters }) {
    this.meters = meters ?? new Meters(SERVER_METRICS);
    this.#clock = clock;
    this.#log = log;
    this.#links = serverLinkCounters(this.meters);
    this.meters.provide("styr_http_requests_in_flight", () => this.#inFlight);
  }

  /** For ControllerRunner: one reconciliation is over. */
  reconciled(controller: string, tookMs: number): void {
    this.meters.observe("styr_controller_reconcile_duration_seconds", tookMs / 1000, controller);
  }

  failed(controller: string): void {
    this.meters.count("styr_controller_failures_total", controller);
  }

  served({ api, route, method, status, tookMs }: Served): void {
    this.meters.count("styr_http_requests_total", api, route, method, String(status));
    this.meters.observe("styr_http_request_duration_seconds", tookMs / 1000, api, route, method);
    if (status === 429) this.meters.count("styr_http_rate_limited_total", api);
  }

  mounted(mounted: Mounted): Mounted {
    return withMembers<Mounted>(mounted, {
      handle: async (request, connection) => {
        this.#inFlight++;
        try {
          return await mounted.handle(request, connection);
        } finally {
          this.#inFlight--;
        }
      },
    });
  }

  /** Around the way an agent's link is taken. */
  link(take: (link: Link) => LinkListener): (link: Link) => LinkListener {
    return (link) => meteredListener(take(meteredLink(link, this.#links)), this.#links);
  }

  /** While the plane leads, which `signal` ends. */
  follow({ store, runner, scheduler, agents, streams, signal }: Followed): void {
    const { meters } = this;
    meters.provide("styr_controller_queue_length", () => runner.queues);
    meters.provide("styr_scheduler_queue_length", () => scheduler.pendingCount);
    meters.provide("styr_agents_connected", agents);
    meters.provide("styr_streams_open", streams);
    meters.provide("styr_scheduler_attempts_total", () => ({ ...scheduler.attempts }));
    void new PodPaces(meters).follow(store, this.#clock, this.#log, signal);
  }

  /** How this server stands among the others, asked at each scrape. */
  standing(read: () => Standing): void {
    this.meters.provide("styr_leader", () => (read().leads ? 1 : 0));
    this.meters.provide("styr_leader_known", () => (read().knowsLeader ? 1 : 0));
    this.meters.provide("styr_leader_term", () => read().term);
  }
}
