/**
 * Certificates of hosts that asked for one by ACME: ordered by the server that leads, a few at a time, kept as Secrets, and renewed
 * when a third of their life is left. The nodes where HTTP comes in answer the authority's questions.
 */
import {
  CLUSTER_SETTINGS_NAME,
  type ClusterSettingsSpec,
  clusterSettings,
  settingsInForce,
} from "../model/cluster-settings.ts";
import { ApiError } from "../model/errors.ts";
import { exposures } from "../model/exposure.ts";
import { ingresses } from "../model/ingress.ts";
import type { Kind } from "../model/meta.ts";
import {
  type AskerMemo,
  type CertificateAskers,
  certificateAskers,
  namespaceOfAskers,
  type RouteLists,
} from "../model/way-in/certificate-askers.ts";
import { firstOrderWaits } from "../model/way-in/first-orders.ts";
import type { WorkloadReader } from "../model/workload.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Store } from "../store/store.ts";
import type { Authority } from "./authority.ts";
import { Renewals } from "./due.ts";
import { countFirstOrder, firstOrders, restFirstOrders } from "./first-orders.ts";
import { forgetUnwanted, sayOfCertificate } from "./kept.ts";
import { forgetChallenges, orderCertificate } from "./order-certificate.ts";
import { restForAllMs } from "./rate-limited.ts";
import { forgetOldRefusals, keepRefusal, refusalOf } from "./refusals.ts";
import { nextOrders, takeTurn, type Wanted } from "./turns.ts";

export interface CertificateOrdersOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly authority: Authority;
  /** Routes of dialects: they may have hosts, too. */
  readonly routes: RouteLists;
  /** Resolves when every connected node answers this challenge, or after a while. */
  readonly settled: (token: string) => Promise<void>;
}

const LONGEST_ORDER_MS = 300_000;
const LOOK_AGAIN_MS = 3_600_000;
/** After a look that followed a change, of the time that it took. */
const PAUSE = 10;
/** While a host is asked for that is another namespace's: changes of dialects' routes are not followed. */
const LOOK_FOR_OWNERS_MS = 60_000;
/** After trouble of our own, such as a store that takes nothing. */
const REST_MS = 60_000;
const STOPPED = "this server does not lead any more";

export class CertificateOrders {
  readonly #options: CertificateOrdersOptions;
  readonly #renewals = new Renewals();
  readonly #memo: AskerMemo = new WeakMap();
  readonly #running = new Map<string, Wanted>();
  /** Namespace → the number of its last turn; the latest is the last. */
  readonly #lastTurns = new Map<string, number>();
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #restsUntilMs = 0;
  /** By the monotonic clock. */
  #pausesUntilMs = 0;

  constructor(options: CertificateOrdersOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#follow();
  }

  stop(): void {
    this.#stopping.abort(new Error(STOPPED));
    this.#timer?.cancel();
  }

  async #follow(): Promise<void> {
    const { store, log } = this.#options;
    const { signal } = this.#stopping;
    const kinds = [exposures, ingresses, clusterSettings] as unknown as readonly Kind[];
    await this.#safely(() => forgetChallenges(store));
    while (!signal.aborted) {
      const since = store.revision;
      this.#look();
      try {
        for await (const _changes of store.watch({ kinds, since, signal })) this.#lookSoon();
        return;
      } catch (error) {
        if (signal.aborted || !(error instanceof ApiError) || error.reason !== "Expired") return;
        log.info("some changes were missed: certificates are looked at again");
      }
    }
  }

  /** Looks that take long, as with thousands of hosts, are fewer: changes must not take up all of the leader's time. */
  #lookSoon(): void {
    const inMs = this.#pausesUntilMs - this.#options.clock.monotonic();
    if (inMs <= 0) this.#look();
    else this.#comeBackIn(inMs, 1);
  }

  /** Orders what is due, as far as there is room, and comes back when the next one is, or when one has ended. */
  #look(): void {
    if (this.#stopping.signal.aborted) return;
    this.#comeBackIn(REST_MS);
    void this.#safely(async () => {
      const { store, clock } = this.#options;
      const fromMs = clock.monotonic();
      const { wanted, isAnyRefused } = this.#askers(store);
      this.#renewals.keep(wanted);
      const nowMs = clock.now();
      const waiting = this.#inForce().acmeTermsAccepted ? this.#waiting(wanted) : [];
      const isResting = nowMs < this.#restsUntilMs;
      const due = isResting ? [] : waiting.filter(({ atMs }) => atMs <= nowMs);
      for (const next of nextOrders(due, [...this.#running.values()], this.#lastTurns)) void this.#order(next);
      const later = waiting.map(({ atMs }) => atMs - nowMs).filter((inMs) => inMs > 0);
      const longestMs = isAnyRefused ? LOOK_FOR_OWNERS_MS : LOOK_AGAIN_MS;
      // What is due and has no room is looked at when an order has ended.
      this.#pausesUntilMs = clock.monotonic() + PAUSE * (clock.monotonic() - fromMs);
      this.#comeBackIn(isResting ? REST_MS : later.reduce((least, inMs) => Math.min(least, inMs), longestMs));
    });
  }

  #comeBackIn(ms: number, leastMs = 1_000): void {
    this.#timer?.cancel();
    if (this.#stopping.signal.aborted) return;
    this.#timer = this.#options.clock.setTimer(Math.max(leastMs, ms), () => this.#look());
  }

  #waiting(wanted: CertificateAskers["wanted"]): readonly Wanted[] {
    const { store, clock } = this.#options;
    const settings = this.#inForce();
    const waitOf = firstOrderWaits(firstOrders(store, settings), clock.now());
    return [...wanted].flatMap(([host, askers]) => {
      if (this.#running.has(host)) return [];
      const namespace = namespaceOfAskers(askers);
      const { failures = 0, againAtMs = 0 } = refusalOf(store, host, settings) ?? {};
      const renewAtMs = this.#renewals.atMs(store, host);
      const isRenewal = renewAtMs > 0;
      const wait = isRenewal ? undefined : waitOf({ namespace, hasFailed: failures > 0 });
      return [{ host, namespace, isRenewal, failures, atMs: Math.max(renewAtMs, againAtMs, wait?.untilMs ?? 0) }];
    });
  }

  #askers(reader: WorkloadReader): CertificateAskers {
    return certificateAskers(reader, this.#options.routes, this.#memo);
  }

  #inForce(): ClusterSettingsSpec {
    return settingsInForce(this.#options.store.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  }

  async #order(wanted: Wanted): Promise<void> {
    const { store, log } = this.#options;
    const { host, namespace, isRenewal } = wanted;
    this.#running.set(host, wanted);
    takeTurn(this.#lastTurns, namespace);
    log.info("a certificate is ordered", { host });
    await this.#safely(async () => {
      const settings = this.#inForce();
      if (!isRenewal) await store.update((tx) => countFirstOrder(tx, settings, namespace));
      const refusal = (await this.#refusal(host, settings)) ?? this.#dueAgain(host);
      if (this.#stopping.signal.aborted) return;
      if (refusal !== undefined) await this.#keepRefusal(host, settings, refusal);
      else await store.update((tx) => forgetUnwanted(tx, this.#askers(tx).wanted));
      await forgetChallenges(store, host);
    });
    this.#running.delete(host);
    this.#lookSoon();
  }

  /** Undefined: the certificate is there. */
  async #refusal(host: string, settings: ClusterSettingsSpec): Promise<Error | undefined> {
    const { store, clock, authority, settled } = this.#options;
    const deadline = new AbortController();
    const signal = AbortSignal.any([deadline.signal, this.#stopping.signal]);
    const minutes = LONGEST_ORDER_MS / 60_000;
    const timer = clock.setTimer(LONGEST_ORDER_MS, () =>
      deadline.abort(new Error(`the authority has not given it within ${minutes} minutes`)),
    );
    const ended = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    const askers = (reader: WorkloadReader) => this.#askers(reader).wanted.get(host);
    const parts = { store, authority, settled, settings, askers };
    try {
      await Promise.race([orderCertificate(parts, host, signal), ended]);
      return undefined;
    } catch (error) {
      return error as Error;
    } finally {
      timer.cancel();
      deadline.abort();
    }
  }

  /** Of a certificate whose time is over when it comes, another one would be ordered at once, and again. */
  #dueAgain(host: string): Error | undefined {
    const { store, clock } = this.#options;
    if (this.#renewals.atMs(store, host) > clock.now() || !this.#askers(store).wanted.has(host)) return undefined;
    return new Error("the one that was given would be renewed at once: is the clock of this server right?");
  }

  async #keepRefusal(host: string, settings: ClusterSettingsSpec, refusal: Error): Promise<void> {
    const { store, clock, log } = this.#options;
    const why = refusal.message;
    const restMs = restForAllMs(refusal, host, clock.now());
    log.warn("a certificate was not given", { host, why });
    await store.update((tx) => {
      const { wanted } = this.#askers(tx);
      const inMs = keepRefusal(tx, host, settings, why, restMs);
      if (restMs !== undefined) restFirstOrders(tx, settings, { untilMs: tx.nowMs + restMs, why });
      forgetOldRefusals(tx, wanted);
      const message = `no certificate for ${host}: ${why}; tried again in ${Math.round(inMs / 60_000)} minutes`;
      sayOfCertificate(tx, wanted.get(host) ?? [], { type: "Warning", reason: "CertificateRefused", message });
    });
  }

  /** Trouble of our own: later again, and never at once. */
  async #safely(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#restsUntilMs = this.#options.clock.now() + REST_MS;
      this.#options.log.warn("certificates cannot be looked at", { why: (error as Error).message });
    }
  }
}
