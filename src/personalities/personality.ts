/**
 * A dialect: its routes, its own kinds (stored verbatim), and the controllers that translate them to kernel objects and
 * copy status back. Removed by deleting its folder and one line in app/.
 */
import type { Controller } from "../controllers/controller.ts";
import type { Api } from "../http/route.ts";
import type { CopiesRule } from "../model/copies.ts";
import type { DiscoverPod, Publisher } from "../model/discovery.ts";
import type { Kind } from "../model/meta.ts";
import type { WorkloadSource } from "../model/workload.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Store } from "../store/store.ts";

export interface PersonalityContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** `host:port` that other programs reach us at. */
  readonly address: string;
  readonly version: string;
  /** Of all dialects: a port of every node that one has is no other's. */
  readonly publishers?: readonly Publisher[];
  /** Of several servers: the URL of the one that leads, if any does as far as is known here. Absent: this is the only one. */
  readonly leader?: () => string | undefined;
}

export interface Personality {
  readonly name: string;
  /** Kinds only this dialect knows. */
  readonly kinds: readonly Kind[];
  api(context: PersonalityContext): Api;
  controllers(context: PersonalityContext): readonly Controller[];
  /** How copies that its own kinds keep may be moved: one rule per kind. Without one, a drain judges by what is there. */
  readonly copies?: readonly CopiesRule[];
  /** By what names its pods are found, and behind which ports. Without it: by those of Kubernetes' Services alone. */
  readonly discover?: DiscoverPod;
  /** Its own kind whose objects ask for ports on every node and for routes from outside, whether a pod of them is there or not. */
  readonly publisher?: Publisher;
  /** What of its own kinds `styr ps` lists. Without it, src/api derives rows from pods and from kinds with `spec.replicas`. */
  workloads?(context: PersonalityContext): WorkloadSource;
}
