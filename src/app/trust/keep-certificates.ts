/**
 * A node's certificate is renewed with a third of its life left, and at once when another CA signs; and the cluster hears which
 * CAs this node believes, which it waits for before one of them signs.
 */
import { createPublicKey, type X509Certificate } from "node:crypto";
import { backoffMs } from "../../lib/backoff.ts";
import { isOfClock, notTakenWords } from "../../model/certificate-time.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import type { CertificateAnswer, CertificateRequest } from "../../trust/join-messages.ts";
import { hashesOf, keyHashOf, splitPem } from "../../trust/key-hash.ts";
import { isDue } from "../../trust/lifetimes.ts";
import { type PinnedAnswer, postJson } from "../../trust/pinned-request.ts";
import type { NodeIdentity } from "./node-identity.ts";

export interface KeepOptions {
  readonly identity: NodeIdentity;
  /** `https://HOST:PORT` of the servers known now. */
  readonly servers: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Default: one server after the other, until one answers. */
  readonly ask?: (body: CertificateRequest) => Promise<PinnedAnswer>;
}

const LOOK_EVERY_MS = 600_000;
/** All nodes hear of a new CA at once, and are not to ask at once. */
const SPREAD_MS = 3000;
const AGAIN = { initialMs: 5000, factor: 2, maxMs: 300_000 };

/** Until `signal` aborts. */
export async function keepCertificates(options: KeepOptions): Promise<void> {
  const { clock, random, log, signal } = options;
  const keeper = new CertificateKeeper(options);
  let failures = 0;
  while (!signal.aborted) {
    try {
      await keeper.step();
      failures = 0;
    } catch (error) {
      failures++;
      log.warn("the certificate could not be kept up to date", { why: (error as Error).message });
    }
    // After a failure news do not make it try sooner: the trouble may be the news.
    if (failures > 0) await pause(clock, backoffMs(AGAIN, failures), signal);
    else if (!keeper.isNeeded) await pauseUntilNews(options);
    if (!signal.aborted && keeper.isNeeded) await pause(clock, random.int(SPREAD_MS), signal);
  }
}

class CertificateKeeper {
  readonly #options: KeepOptions;
  /** What the cluster has been told that is believed. */
  #told = "";

  constructor(options: KeepOptions) {
    this.#options = options;
  }

  get isNeeded(): boolean {
    return this.#mustRenew || this.#told !== this.#options.identity.current().caPem;
  }

  async step(): Promise<void> {
    if (this.#mustRenew) return this.#renew();
    const { certPem, caPem } = this.#options.identity.current();
    if (this.#told === caPem) return;
    await this.#asked({ certPem, believes: hashesOf(caPem) });
    this.#told = caPem;
  }

  get #mustRenew(): boolean {
    const { identity, clock } = this.#options;
    const { certificate, signingCa } = identity;
    if (isDue(certificate, clock.now())) return true;
    return signingCa !== undefined && issuerOf(certificate, identity.current().caPem) !== signingCa;
  }

  async #renew(): Promise<void> {
    const { identity, log } = this.#options;
    const { newKeyPem, requestFor } = await import("../../trust/issue-certificate.ts");
    const keyPem = await newKeyPem();
    const { caPem } = identity.current();
    const { certPem } = await this.#asked({ csrPem: await requestFor(keyPem), believes: hashesOf(caPem) });
    if (certPem === undefined) throw new Error("the server gave no certificate");
    await identity.replace({ certPem, keyPem });
    log.info("the certificate was renewed", { until: identity.certificate.validTo });
  }

  async #asked(body: CertificateRequest): Promise<CertificateAnswer> {
    const { ask = (asked: CertificateRequest) => askServers(this.#options, asked), identity, clock } = this.#options;
    const { status, text, date } = await ask(body);
    if (status === 200) return JSON.parse(text) as CertificateAnswer;
    const hint = status === 401 ? notTakenWords(identity.certificate, date, clock.now()) : "";
    // The same as the server says, with both times.
    if (isOfClock(hint)) throw new Error(hint.replace(/^its/, "the server's"));
    throw new Error(`the server answered ${status}: ${text.slice(0, 200)}${hint && `; ${hint}`}`);
  }
}

/** The first that answers. */
async function askServers({ identity, servers }: KeepOptions, body: CertificateRequest): Promise<PinnedAnswer> {
  const { caPem, certPem, keyPem } = identity.current();
  const problems: string[] = [];
  for (const server of servers()) {
    try {
      return await postJson(new URL("/styr/v1/certificates", server), caPem, body, { certPem, keyPem });
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  throw new Error(problems.length === 0 ? "no server is known" : problems.join("; "));
}

/** Hash of the CA that signed it; undefined when none of the bundle did. */
function issuerOf(certificate: X509Certificate, bundle: string): string | undefined {
  const issuer = splitPem(bundle).find((pem) => certificate.verify(createPublicKey(pem)));
  return issuer === undefined ? undefined : keyHashOf(issuer);
}

async function pauseUntilNews({ identity, clock, signal }: KeepOptions): Promise<void> {
  const news = new AbortController();
  const forget = identity.onChange(() => news.abort());
  await pause(clock, LOOK_EVERY_MS, AbortSignal.any([signal, news.signal]));
  forget();
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
