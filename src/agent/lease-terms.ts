import { DEFAULT_CLUSTER_SETTINGS } from "../model/cluster-settings.ts";
import type { LeaseTerms } from "../model/heartbeat.ts";
import { isExclusive } from "../model/when-unreachable.ts";
import type { PodRecord } from "./local-record.ts";

/** What pods that may run once only were let run under, as far as it was written down; the usual terms where it was not. */
export function termsOf(records: readonly Pick<PodRecord, "pod" | "leaseTerms">[]): LeaseTerms {
  const usual = { heartbeatMs: 1_000, exclusiveMs: DEFAULT_CLUSTER_SETTINGS.exclusiveAfterMs };
  const exclusive = records.filter(({ pod }) => isExclusive(pod)).map(({ leaseTerms }) => leaseTerms ?? usual);
  if (exclusive.length === 0) return usual;
  const exclusiveMs = Math.min(...exclusive.map((terms) => terms.exclusiveMs ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(exclusiveMs) ? { ...usual, exclusiveMs } : { heartbeatMs: usual.heartbeatMs };
}
