/** What agents say of themselves: heartbeats and goodbyes. Most heartbeats are no news, and cost a look-up. */
import { ApiError } from "../../model/errors.ts";
import type { Goodbye, Heartbeat, HeartbeatAnswer, LeaseDesk } from "../../model/heartbeat.ts";
import { nodes } from "../../model/node.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Store } from "../../store/store.ts";
import type { Adoption } from "./adoption.ts";
import { withAway } from "./away-mark.ts";
import { type Before, comebackOf, isReboot } from "./comeback.ts";
import { withReturn } from "./flapping.ts";
import type { HeldNodes } from "./held-nodes.ts";
import type { Lease } from "./lease.ts";
import type { Leases } from "./leases.ts";
import type { Looks } from "./looks.ts";
import { saysHealth, troubleOf } from "./node-marks.ts";
import type { TermsInForce } from "./terms-in-force.ts";
import { HYSTERESIS_MS } from "./write-node.ts";

/** An agent that is back says how its pods are within this time. */
const RETURN_MS = 10_000;
/** Of what a node says of its health: it is shown in every list of nodes. */
const MOST_HEALTH_CHARS = 1_024;

export interface HeartbeatDeskParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly leases: Leases;
  readonly adoption: Adoption;
  readonly terms: TermsInForce;
  readonly held: HeldNodes;
  readonly looks: Looks;
}

export class HeartbeatDesk implements LeaseDesk {
  readonly #parts: HeartbeatDeskParts;

  constructor(parts: HeartbeatDeskParts) {
    this.#parts = parts;
  }

  beat(beat: Heartbeat): HeartbeatAnswer {
    const { clock, leases, adoption, terms, held } = this.#parts;
    const nowMs = clock.monotonic();
    const lease = adoption.leaseOf(beat.node, nowMs);
    if (!lease) return terms.answers.stranger;
    const { hasBeaten, heardMs, leaving, bootId, unheardMs } = lease;
    if (leases.hear(lease, beat, nowMs, terms.settings) === "alive") {
      const rebooted = isReboot(bootId, beat.bootId, lease.rebootedMs, nowMs);
      if (rebooted) lease.rebootedMs = nowMs;
      const left = leaving !== lease.leaving ? leaving : undefined;
      const isHeld = held.counts(lease.node);
      const isTold = lease.released || unheardMs > 0;
      lease.released = false;
      if (!hasBeaten || left || rebooted || isHeld || isTold)
        this.#welcome(lease, beat, { heardMs, left, rebooted, isHeld }, nowMs);
      if (lease.word.health !== beat.health) this.#takeHealth(lease, beat, nowMs);
    }
    const { refused, renewed } = terms.answers;
    return lease.gaveAway || lease.giving > 0 ? refused : renewed;
  }

  goodbye(goodbye: Goodbye): Promise<void> {
    const { clock, leases, adoption, terms, held, looks } = this.#parts;
    const nowMs = clock.monotonic();
    const lease = adoption.leaseOf(goodbye.node, nowMs);
    const given = lease && (lease.gaveAway || lease.giving > 0);
    if (!lease || lease.loss || given || held.holds(goodbye.node)) {
      throw new ApiError("Conflict", `node ${goodbye.node} is not known as ready: its goodbye comes too late`);
    }
    const graceMs = goodbye.why === "down" ? nowMs : nowMs + terms.settings.rebootGraceMs;
    if (!leases.leave(lease, goodbye, nowMs, graceMs)) {
      throw new ApiError("Conflict", `node ${goodbye.node} has an agent that began after the one that says goodbye`);
    }
    looks.touch(goodbye.node);
    return goodbye.why === "down" ? this.#takeDown(lease, nowMs) : this.#promise(goodbye.node, goodbye.why);
  }

  /** Resolves when it is on disk: a control plane that starts meanwhile keeps the promise, too. */
  #promise(name: string, why: Exclude<Goodbye["why"], "down">): Promise<void> {
    const { store, terms } = this.#parts;
    const { rebootGraceMs } = terms.settings;
    return store.update((tx) => {
      const stored = tx.get(nodes, name);
      if (stored) tx.update(nodes, withAway(stored, { why, untilMs: tx.nowMs + rebootGraceMs, asOfMs: tx.nowMs }));
    });
  }

  /** As if it had been silent for long, but by a person's word: no brake counts it. Resolves when others are told to lead nobody there. */
  #takeDown(lease: Lease, nowMs: number): Promise<void> {
    const { leases, looks } = this.#parts;
    lease.released = true;
    leases.lose(lease, nowMs);
    return looks.now(lease.node);
  }

  /** It beats: for the first time, or after it was given up, away, or another boot. */
  #welcome(lease: Lease, beat: Heartbeat, before: Before, nowMs: number): void {
    const { leases, terms, held, looks } = this.#parts;
    const { node, loss } = lease;
    const comeback = comebackOf(before, loss, nowMs);
    if (comeback) {
      lease.comeback = comeback;
      lease.sinceMs = nowMs;
    }
    if (loss) this.#countReturn(lease, nowMs);
    if (loss || lease.returnedUntilMs !== undefined) lease.returnedUntilMs = nowMs + RETURN_MS;
    lease.loss = undefined;
    lease.goneTold = false;
    held.heard(node, lease.zone, nowMs);
    leases.schedule(lease, terms.settings);
    this.#reviewHealth(beat, nowMs);
    looks.touch(node);
  }

  #countReturn(lease: Lease, nowMs: number): void {
    lease.flaps = withReturn(lease.flaps, nowMs);
    const { untilMs } = lease.flaps;
    if (Number.isFinite(untilMs)) this.#parts.looks.later(lease.node, untilMs);
  }

  /** What is stored of its health may be of long ago. */
  #reviewHealth({ node, health }: Heartbeat, nowMs: number): void {
    const { store, looks } = this.#parts;
    const stored = store.get(nodes, node);
    if (stored && !saysHealth(stored, troubleOf(health, ""))) looks.later(node, nowMs + HYSTERESIS_MS);
  }

  #takeHealth(lease: Lease, { health, message = "" }: Heartbeat, nowMs: number): void {
    lease.word = { health, message: message.slice(0, MOST_HEALTH_CHARS), sinceMs: nowMs };
    this.#parts.looks.later(lease.node, nowMs + HYSTERESIS_MS);
  }
}
