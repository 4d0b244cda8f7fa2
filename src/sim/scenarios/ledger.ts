/** What happened to pods and containers in a world, with the times at which it happened: scenarios count in it. */
import { disruptionOf } from "../../model/disruption.ts";
import { type Pod, pods } from "../../model/pod.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Change } from "../../store/transaction.ts";
import type { DriverCall, Observer } from "../contract.ts";

export interface Call extends DriverCall {
  readonly atMs: number;
}

export interface Move {
  readonly atMs: number;
  readonly pod: Pod;
  /** NodeUnreachable, Drain, Rebalance. */
  readonly reason: string;
}

export class Ledger implements Observer {
  readonly calls: Call[] = [];
  readonly moves: Move[] = [];
  /** Pods that were made, by anybody. */
  readonly made: { readonly atMs: number; readonly pod: Pod }[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  committed(changes: readonly Change[]): void {
    const atMs = this.#clock.monotonic();
    for (const { kind, type, object, before } of changes) {
      if (kind.name !== pods.name || type === "removed") continue;
      const pod = object as Pod;
      if (type === "added") this.made.push({ atMs, pod });
      const reason = disruptionOf(pod)?.reason;
      if (reason === undefined || (before && disruptionOf(before as Pod)?.reason === reason)) continue;
      this.moves.push({ atMs, pod, reason });
    }
  }

  driver(call: DriverCall): void {
    this.calls.push({ ...call, atMs: this.#clock.monotonic() });
  }

  /** Calls of one kind since then, of one pod or of all. */
  since(atMs: number, what: DriverCall["what"], podUid?: string): readonly Call[] {
    return this.calls.filter(
      (call) => call.atMs >= atMs && call.what === what && (podUid === undefined || call.podUid === podUid),
    );
  }

  movesSince(atMs: number, reason?: string): readonly Move[] {
    return this.moves.filter((move) => move.atMs >= atMs && (reason === undefined || move.reason === reason));
  }
}
