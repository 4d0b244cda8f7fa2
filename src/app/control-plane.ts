/** The server half of a process: store, controllers, scheduler and the dialects' routes, put together. Opens no socket. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Explainer } from "../api/explainer.ts";
import { replicatedSource } from "../api/workloads.ts";
import { styrApi } from "../api/styr-api.ts";
import { endpointsController } from "../controllers/endpoints-controller.ts";
import type { Controller } from "../controllers/controller.ts";
import { ControllerRunner } from "../controllers/runner.ts";
import { type Mounted, mountApis } from "../http/mount.ts";
import type { Kind } from "../model/meta.ts";
import { replicationControllers } from "../model/replication-controller.ts";
import type { NodeAccess } from "../model/streams.ts";
import type { WorkloadSource } from "../model/workload.ts";
import type { Personality, PersonalityContext } from "../personalities/personality.ts";
import { Scheduler } from "../scheduling/scheduler.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Journal } from "../store/journal.ts";
import { Store } from "../store/store.ts";
import { explainer } from "./explainer.ts";

export interface ControlPlaneOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly personalities: readonly Personality[];
  readonly strategy: "spread" | "binpack";
  /** `host:port` that other programs reach us at. */
  readonly address: string;
  readonly hostname: string;
  readonly version: string;
  readonly nodeAccess: NodeAccess;
}
