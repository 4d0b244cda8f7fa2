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
import { type CertificateAskers, certificateAskers, type RouteLists } from "../model/way-in/certificate-askers.ts";
import type { WorkloadReader } from "../model/workload.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Store } from "../store/store.ts";
import type { Authority } from "./authority.ts";
import { Renewals } from "./due.ts";
import { sayOfCertificate } from "./kept.ts";
import { forgetChallenges, orderCertificate } from "./order-certificate.ts";
import { forgetOldRefusals, keepRefusal, refusalOf } from "./refusals.ts";

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

/** An authority that does not end one order must not hold up all others. */
const MOST_AT_ONCE = 4;
const LONGEST_ORDER_MS = 300_000;
const LOOK_AGAIN_MS = 3_600_000;
/** While a host is asked for that is another namespace's: changes of dialects' routes are not followed. */
const LOOK_FOR_OWNERS_MS = 60_000;
/** After trouble of our own, such as a store that takes nothing. */
const REST_MS = 60_000;
const STOPPED = "this server does not lead any more";

interface Due {
  readonly host: string;
  readonly atMs: number;
  readonly failures: number;
}

export class CertificateOrders {
  readonly #options: CertificateOrdersOptions;
  readonly #renewals = new Renewals();
  readonly #running = new Set<string>();
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #restsUntilMs = 0;

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
        for await (const _changes of store.watch({ kinds, since, signal })) this.#look();
        return;
      } catch (error) {
        if (signal.aborted || !(error instanceof ApiError) || error.reason !== "Expired") return;
        log.info("some changes were missed: certificates are looked at again");
      }
    }
  }

  /** Orders what is due, as far as there is room, and comes back when the next one is, or when one has ended. */
  #look(): void {
    if (this.#stopping.signal.aborted) return;
    this.#comeBackIn(REST_MS);
    void this.#safely(async () => {
      const { store, clock } = this.#options;
      const { wanted, isAnyRefused } = this.#askers(store);
      this.#renewals.keep(wanted);
      const nowMs = clock.now();
      const waiting = this.#inForce().acmeTermsAccepted ? this.#waiting(wanted.keys()) : [];
      const isResting = nowMs < this.#restsUntilMs;
      const room = isResting ? 0 : MOST_AT_ONCE - this.#running.size;
      const due = waiting.filter(({ atMs }) => atMs <= nowMs).sort(byNeed);
      for (const { host } of due.slice(0, room)) void this.#order(host);
      const later = waiting.map(({ atMs }) => atMs - nowMs).filter((inMs) => inMs > 0);
      const longestMs = isAnyRefused ? LOOK_FOR_OWNERS_MS : LOOK_AGAIN_MS;
      // What is due and has no room is looked at when an order has ended.
      this.#comeBackIn(isResting ? REST_MS : later.reduce((least, inMs) => Math.min(least, inMs), longestMs));
    });
  }

  #comeBackIn(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(Math.max(1_000, ms), () => this.#look());
  }

  #waiting(hosts: Iterable<string>): readonly Due[] {
    const { store } = this.#options;
    const settings = this.#inForce();
    return [...hosts].flatMap((host) => {
      if (this.#running.has(host)) return [];
      const { failures = 0, againAtMs = 0 } = refusalOf(store, host, settings) ?? {};
      return [{ host, failures, atMs: Math.max(this.#renewals.atMs(store, host), againAtMs) }];
    });
  }

  #askers(reader: WorkloadReader): CertificateAskers {
    return certificateAskers(reader, this.#options.routes);
  }

  #inForce(): ClusterSettingsSpec {
    return settingsInForce(this.#options.store.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  }

  async #order(host: string): Promise<void> {
    const { store, log } = this.#options;
    this.#running.add(host);
    log.info("a certificate is ordered", { host });
    await this.#safely(async () => {
      const settings = this.#inForce();
      const why = (await this.#refusal(host, settings)) ?? this.#dueAgain(host);
      if (this.#stopping.signal.aborted) return;
      if (why !== undefined) await this.#keepRefusal(host, settings, why);
      await forgetChallenges(store, host);
    });
    this.#running.delete(host);
    this.#look();
  }

  /** Undefined: the certificate is there. */
  async #refusal(host: string, settings: ClusterSettingsSpec): Promise<string | undefined> {
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
      return (error as Error).message;
    } finally {
      timer.cancel();
      deadline.abort();
    }
  }

  /** Of a certificate whose time is over when it comes, another one would be ordered at once, and again. */
  #dueAgain(host: string): string | undefined {
    const { store, clock } = this.#options;
    if (this.#renewals.atMs(store, host) > clock.now() || !this.#askers(store).wanted.has(host)) return undefined;
    return "the one that was given would be renewed at once: is the clock of this server right?";
  }

  async #keepRefusal(host: string, settings: ClusterSettingsSpec, why: string): Promise<void> {
    const { store, log } = this.#options;
    log.warn("a certificate was not given", { host, why });
    await store.update((tx) => {
      const { wanted } = this.#askers(tx);
      const inMs = keepRefusal(tx, host, settings, why);
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

/** Who never failed comes first; then who has waited longest, which is who has none. */
function byNeed(a: Due, b: Due): number {
  return a.failures - b.failures || a.atMs - b.atMs || (a.host < b.host ? -1 : 1);
}
