/** What authorities refused is remembered in the store: they count, and a server that takes over must not ask anew for all of it. */
import { type BackoffRules, backoffMs } from "../lib/backoff.ts";
import { type AcmeRefusal, acmeRefusals, isRefusalOf } from "../model/acme-refusal.ts";
import type { ClusterSettingsSpec } from "../model/cluster-settings.ts";
import type { WorkloadReader } from "../model/workload.ts";
import type { Tx } from "../store/transaction.ts";

/** Let's Encrypt takes five an hour of one host. */
const RETRY: BackoffRules = { initialMs: 300_000, factor: 2, maxMs: 12 * 3_600_000 };
const LONGEST_WHY = 500;

type Settings = Pick<ClusterSettingsSpec, "acmeDirectory" | "acmeEmail">;

export function refusalOf(reader: WorkloadReader, host: string, settings: Settings): AcmeRefusal["spec"] | undefined {
  const refusal = reader.get(acmeRefusals, host);
  return refusal && isRefusalOf(refusal, settings) ? refusal.spec : undefined;
}

/** Says in how long it is tried again. `restMs`: the authority takes nobody's orders for so long, which is no fault of this host's. */
export function keepRefusal(tx: Tx, host: string, settings: Settings, why: string, restMs?: number): number {
  const failures = (refusalOf(tx, host, settings)?.failures ?? 0) + (restMs === undefined ? 1 : 0);
  const inMs = restMs ?? backoffMs(RETRY, failures);
  const spec = {
    ...{ host, directory: settings.acmeDirectory, email: settings.acmeEmail, failures },
    ...{ againAtMs: tx.nowMs + inMs, why: why.slice(0, LONGEST_WHY) },
  };
  const before = tx.get(acmeRefusals, host);
  if (before) tx.update(acmeRefusals, { ...before, spec });
  else
    tx.create<AcmeRefusal>(acmeRefusals, {
      ...{ apiVersion: acmeRefusals.apiVersion, kind: "AcmeRefusal", metadata: { name: host }, spec },
    });
  return inMs;
}

export function forgetRefusal(tx: Tx, host: string): void {
  if (tx.get(acmeRefusals, host)) tx.remove(acmeRefusals, host);
}

/** Those of hosts that nobody asks for any more, once nothing would have to wait for them. */
export function forgetOldRefusals(tx: Tx, wanted: ReadonlyMap<string, unknown>): void {
  for (const { metadata, spec } of tx.list(acmeRefusals))
    if (!wanted.has(spec.host) && spec.againAtMs < tx.nowMs) tx.remove(acmeRefusals, metadata.name);
}
