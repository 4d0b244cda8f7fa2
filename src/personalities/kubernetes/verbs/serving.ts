import type { RequestContext } from "../../../http/route.ts";
import type { Clock } from "../../../seams/clock.ts";
import type { Log } from "../../../seams/log.ts";
import type { Random } from "../../../seams/random.ts";
import type { Store } from "../../../store/store.ts";
import type { Resource } from "../resource.ts";
import type { SharedPieces } from "./shared-pieces.ts";

/** What every verb gets. */
export interface Serving {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly shared: SharedPieces;
}

/** One request to one resource. */
export interface Call {
  readonly serving: Serving;
  readonly resource: Resource;
  readonly request: Request;
  readonly context: RequestContext;
  /** From the path; undefined for cluster kinds and for lists over all namespaces. */
  readonly namespace: string | undefined;
}

/** The object's key in its table. */
export function keyFor(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export function nameIn({ context }: Call): string {
  return context.params.name ?? "";
}
