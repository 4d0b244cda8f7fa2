/** The authority has taken enough orders for now (RFC 8555, 6.6): of this host or its domain, or of anybody in the cluster. */
export class RateLimited extends Error {
  /** Seconds, or a date (RFC 9110, 10.2.3). */
  readonly retryAfter: string;

  constructor(words: string, retryAfter = "") {
    super(words);
    this.retryAfter = retryAfter;
  }
}

const LEAST_MS = 300_000;
const USUAL_MS = 900_000;
const MOST_MS = 3 * 3_600_000;

/**
 * For how long nobody is to order; undefined: it is the host's matter alone. Whoever may ask for hosts can use up what the authority
 * takes of one domain (Let's Encrypt: 50 certificates a week), and names it then: that is no reason to let others wait.
 */
export function restForAllMs(error: Error, host: string, nowMs: number): number | undefined {
  if (!(error instanceof RateLimited) || namesOneOf(error.message, domainsOf(host))) return undefined;
  return Math.min(MOST_MS, Math.max(LEAST_MS, afterMs(error.retryAfter, nowMs) ?? USUAL_MS));
}

function afterMs(said: string, nowMs: number): number | undefined {
  if (/^\d+$/.test(said)) return Number(said) * 1_000;
  const atMs = Date.parse(said);
  return Number.isNaN(atMs) ? undefined : atMs - nowMs;
}

/** Of `a.b.example.org` also `b.example.org` and `example.org`. */
function domainsOf(host: string): readonly string[] {
  const parts = host.split(".");
  return parts.slice(0, -1).map((_part, at) => parts.slice(at).join("."));
}

function namesOneOf(words: string, domains: readonly string[]): boolean {
  const named = new Set(words.toLowerCase().match(/[a-z0-9][a-z0-9.-]*[a-z0-9]/g));
  return domains.some((domain) => named.has(domain));
}
