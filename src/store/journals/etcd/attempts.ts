/** Asks for one transaction over and over; an attempt that is late is not given up when the next is made. */
import type { Clock } from "../../../seams/clock.ts";
import type { EtcdClient } from "./client.ts";
import type { TxnRequest, TxnResponse } from "./rpc/messages.ts";
import type { Term } from "./term.ts";

export interface AttemptsOptions {
  readonly client: Pick<EtcdClient, "txn">;
  readonly clock: Clock;
  readonly term: Term;
  readonly attemptMs: number;
}

/** Without an error nothing has come in time. */
type Outcome = { readonly answer: TxnResponse } | { readonly error: unknown };

/** In attempts: how long the answer to one counts. */
const PATIENCE = 3;
/** How long after the loss of the leadership an answer that is on its way is waited for. */
const GRACE_MS = 250;

export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #request: TxnRequest;
  readonly #underWay = new Set<Promise<Outcome>>();

  constructor(options: AttemptsOptions, request: TxnRequest) {
    this.#options = options;
    this.#request = request;
  }

  /** Makes another, and resolves with what comes first, of this one or of an earlier one. */
  async next(): Promise<Outcome> {
    const { clock, term, attemptMs } = this.#options;
    this.#ask();
    const { promise: tooLate, resolve } = Promise.withResolvers<Outcome>();
    const giveUp = () => resolve({ error: undefined });
    const timers = [clock.setTimer(attemptMs, giveUp)];
    const onLost = () => void timers.push(clock.setTimer(GRACE_MS, giveUp));
    term.lost.addEventListener("abort", onLost, { once: true });
    if (term.lost.aborted) onLost();
    const outcome = await Promise.race([...this.#underWay, tooLate]);
    for (const timer of timers) timer.cancel();
    term.lost.removeEventListener("abort", onLost);
    return outcome;
  }

  #ask(): void {
    const { client, attemptMs } = this.#options;
    const outcome: Promise<Outcome> = client.txn(this.#request, PATIENCE * attemptMs, attemptMs).then(
      (answer) => ({ answer }),
      (error: unknown) => {
        this.#underWay.delete(outcome);
        return { error };
      },
    );
    this.#underWay.add(outcome);
  }
}
