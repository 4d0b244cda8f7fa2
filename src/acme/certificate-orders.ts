/**
 * Certificates of hosts that asked for one by ACME: ordered by the server that leads, one after the other, kept as Secrets, and renewed
 * when a third of their life is left. The nodes where HTTP comes in answer the authority's questions.
 */
import { createHash } from "node:crypto";
import { type BackoffRules, backoffMs } from "../lib/backoff.ts";
import { type AcmeChallenge, acmeChallenges } from "../model/acme-challenge.ts";
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../model/cluster-settings.ts";
import { exposures } from "../model/exposure.ts";
import { ingresses } from "../model/ingress.ts";
import type { Kind } from "../model/meta.ts";
import { secrets } from "../model/secret.ts";
import { acmeSecretName, CERTIFICATE_NAMESPACE } from "../model/way-in/acme-secret.ts";
import { type CertificateAskers, certificateAskers, type RouteLists } from "../model/way-in/certificate-askers.ts";
import type { WorkloadReader } from "../model/workload.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Store } from "../store/store.ts";
import type { Authority } from "./authority.ts";
import { renewAtMs } from "./due.ts";
import { keepAccountKey, keepCertificate, sayOfCertificate } from "./kept.ts";

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

/** Authorities count failures: Let's Encrypt takes five an hour of one host. */
const RETRY: BackoffRules = { initialMs: 300_000, factor: 2, maxMs: 12 * 3_600_000 };
const LONGEST_ORDER_MS = 300_000;
const LOOK_AGAIN_MS = 3_600_000;
/** While a host is asked for that is another namespace's: changes of dialects' routes are not followed. */
const LOOK_FOR_OWNERS_MS = 60_000;

interface Failing {
  readonly failures: number;
  readonly againAtMs: number;
}

export class CertificateOrders {
  readonly #options: CertificateOrdersOptions;
  readonly #failing = new Map<string, Failing>();
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #isAtWork = false;
  #isAsked = false;
  #settings = "";

  constructor(options: CertificateOrdersOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#follow();
    this.#ask();
  }

  stop(): void {
    this.#stopping.abort(new Error("this server does not lead any more"));
    this.#timer?.cancel();
  }

  async #follow(): Promise<void> {
    const { store, log } = this.#options;
    const { signal } = this.#stopping;
    const kinds = [exposures, ingresses, clusterSettings] as unknown as readonly Kind[];
    while (!signal.aborted) {
      try {
        for await (const _changes of store.watch({ kinds, signal })) this.#ask();
        return;
      } catch (error) {
        if (signal.aborted || (error as { reason?: string }).reason !== "Expired") return;
        log.info("some changes were missed: certificates are looked at again");
        this.#ask();
      }
    }
  }

  /** Orders what is due, and comes back when the next one is. */
  #ask(): void {
    this.#isAsked = true;
    if (this.#isAtWork || this.#stopping.signal.aborted) return;
    this.#isAtWork = true;
    this.#work()
      .catch((error: Error) => this.#options.log.warn("certificates cannot be looked at", { why: error.message }))
      .finally(() => {
        this.#isAtWork = false;
        if (this.#isAsked) this.#ask();
      });
  }

  async #work(): Promise<void> {
    this.#timer?.cancel();
    while (this.#isAsked && !this.#stopping.signal.aborted) {
      this.#isAsked = false;
      for (const host of this.#due()) await this.#order(host);
    }
    if (!this.#stopping.signal.aborted) this.#timer = this.#options.clock.setTimer(this.#nextInMs(), () => this.#ask());
  }

  #due(): readonly string[] {
    const { store, clock } = this.#options;
    const { acmeTermsAccepted, acmeDirectory, acmeEmail } = this.#inForce();
    // Another authority may take what this one refused.
    const settings = `${acmeDirectory} ${acmeEmail}`;
    if (settings !== this.#settings) this.#failing.clear();
    this.#settings = settings;
    if (!acmeTermsAccepted) return [];
    const now = clock.now();
    return [...this.#askers(store).wanted.keys()].filter((host) => this.#atMs(host) <= now);
  }

  #atMs(host: string): number {
    const secret = this.#options.store.get(secrets, `${CERTIFICATE_NAMESPACE}/${acmeSecretName(host)}`);
    return Math.max(renewAtMs(secret), this.#failing.get(host)?.againAtMs ?? 0);
  }

  #nextInMs(): number {
    const { store, clock } = this.#options;
    if (!this.#inForce().acmeTermsAccepted) return LOOK_AGAIN_MS;
    const { wanted, isAnyRefused } = this.#askers(store);
    const dueIn = [...wanted.keys()].map((host) => this.#atMs(host) - clock.now());
    return Math.max(1_000, Math.min(isAnyRefused ? LOOK_FOR_OWNERS_MS : LOOK_AGAIN_MS, ...dueIn));
  }

  #askers(reader: WorkloadReader): CertificateAskers {
    return certificateAskers(reader, this.#options.routes);
  }

  #inForce() {
    return settingsInForce(this.#options.store.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  }

  async #order(host: string): Promise<void> {
    const { store, clock, log } = this.#options;
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    const deadline = new AbortController();
    const late = clock.sleep(LONGEST_ORDER_MS, deadline.signal).then(
      () => Promise.reject(new Error(`the authority has not given it within ${LONGEST_ORDER_MS / 60_000} minutes`)),
      () => undefined,
    );
    try {
      log.info("a certificate is ordered", { host });
      await Promise.race([this.#obtain(host), late]);
      this.#failing.delete(host);
    } catch (error) {
      const failures = (this.#failing.get(host)?.failures ?? 0) + 1;
      const inMs = backoffMs(RETRY, failures);
      this.#failing.set(host, { failures, againAtMs: clock.now() + inMs });
      const why = (error as Error).message;
      log.warn("a certificate was not given", { host, why });
      const message = `no certificate for ${host}: ${why}; tried again in ${Math.round(inMs / 60_000)} minutes`;
      const said = { type: "Warning", reason: "CertificateRefused", message } as const;
      if (!signal.aborted)
        await store.update((tx) => sayOfCertificate(tx, this.#askers(tx).wanted.get(host) ?? [], said));
    } finally {
      deadline.abort();
      if (!signal.aborted) await this.#forgetChallenges(host);
    }
  }

  async #obtain(host: string): Promise<void> {
    const { store, authority } = this.#options;
    const { acmeDirectory: directory, acmeEmail: email } = this.#inForce();
    const accountKey = await keepAccountKey(store, directory, () => authority.newAccountKey());
    const answer = (token: string, text: string) => this.#answer(host, token, text);
    const ordered = await authority.order({ host, directory, email, accountKey, answer });
    // Nobody wants it any more who may have it: it is not kept.
    await store.update((tx) => {
      const askers = this.#askers(tx).wanted.get(host);
      if (this.#stopping.signal.aborted || askers === undefined) return;
      keepCertificate(tx, host, ordered);
      const message = `${host} has a certificate of ${new URL(directory).host}`;
      sayOfCertificate(tx, askers, { type: "Normal", reason: "CertificateGiven", message });
    });
  }

  async #answer(host: string, token: string, answer: string): Promise<void> {
    const { store, settled } = this.#options;
    const name = createHash("sha256").update(token).digest("hex").slice(0, 32);
    await store.update((tx) => {
      if (tx.get(acmeChallenges, name)) return;
      const spec = { token, answer, host };
      tx.create<AcmeChallenge>(acmeChallenges, {
        ...{ apiVersion: acmeChallenges.apiVersion, kind: "AcmeChallenge", metadata: { name }, spec },
      });
    });
    await settled(token);
  }

  async #forgetChallenges(host: string): Promise<void> {
    await this.#options.store.update((tx) => {
      for (const { metadata, spec } of tx.list(acmeChallenges))
        if (spec.host === host) tx.remove(acmeChallenges, metadata.name);
    });
  }
}
