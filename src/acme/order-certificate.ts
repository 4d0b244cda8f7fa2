/** One order of a certificate: from the account's key to the Secret, with the proofs that the authority asks for meanwhile. */
import { createHash } from "node:crypto";
import { type AcmeChallenge, acmeChallenges } from "../model/acme-challenge.ts";
import type { ClusterSettingsSpec } from "../model/cluster-settings.ts";
import type { StoredObject } from "../model/meta.ts";
import type { WorkloadReader } from "../model/workload.ts";
import type { Store } from "../store/store.ts";
import type { Authority } from "./authority.ts";
import { keepAccountKey, keepCertificate, sayOfCertificate } from "./kept.ts";
import { forgetRefusal } from "./refusals.ts";

export interface OrderParts {
  readonly store: Store;
  readonly authority: Authority;
  /** Resolves when every connected node answers this challenge, or after a while. */
  readonly settled: (token: string) => Promise<void>;
  readonly settings: Pick<ClusterSettingsSpec, "acmeDirectory" | "acmeEmail">;
  /** Who asks for the host's certificate, and may have it. */
  readonly askers: (reader: WorkloadReader, host: string) => readonly StoredObject[] | undefined;
}

/** Rejects in the authority's words. Once `signal` aborts nothing of it is written any more. */
export async function orderCertificate(parts: OrderParts, host: string, signal: AbortSignal): Promise<void> {
  const { store, authority, settings, askers } = parts;
  const { acmeDirectory: directory, acmeEmail: email } = settings;
  const accountKey = await keepAccountKey(store, directory, () => authority.newAccountKey());
  const answer = (token: string, text: string) => giveAnswer(parts, { token, answer: text, host }, signal);
  const ordered = await authority.order({ host, directory, email, accountKey, answer, signal });
  await store.update((tx) => {
    const who = askers(tx, host);
    // Nobody wants it any more who may have it: it is not kept.
    if (signal.aborted || who === undefined) return;
    keepCertificate(tx, host, ordered);
    forgetRefusal(tx, host);
    const message = `${host} has a certificate of ${new URL(directory).host}`;
    sayOfCertificate(tx, who, { type: "Normal", reason: "CertificateGiven", message });
  });
}

async function giveAnswer(
  { store, settled }: OrderParts,
  spec: AcmeChallenge["spec"],
  signal: AbortSignal,
): Promise<void> {
  const name = createHash("sha256").update(spec.token).digest("hex").slice(0, 32);
  await store.update((tx) => {
    // It was given up: nobody would take this away again.
    signal.throwIfAborted();
    if (tx.get(acmeChallenges, name)) return;
    tx.create<AcmeChallenge>(acmeChallenges, {
      ...{ apiVersion: acmeChallenges.apiVersion, kind: "AcmeChallenge", metadata: { name }, spec },
    });
  });
  await settled(spec.token);
}

/** Of one host, or those that an order of a server before this one has left. */
export async function forgetChallenges(store: Store, host?: string): Promise<void> {
  if (store.list(acmeChallenges).length === 0) return;
  await store.update((tx) => {
    for (const { metadata, spec } of tx.list(acmeChallenges))
      if (host === undefined || spec.host === host) tx.remove(acmeChallenges, metadata.name);
  });
}
