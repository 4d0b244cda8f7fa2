/** How long certificates are good for. */
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const CA_MS = 10 * 365 * DAY_MS;
/** Of every host and of the files for people in `pki/`. */
export const LEAF_MS = 30 * DAY_MS;
/** Certificates begin that long before they are issued: clocks differ. */
const EARLIER_MS = HOUR_MS;
/** Hosts' clocks may differ so much; more is said before anything is issued. */
export const MOST_CLOCK_DIFFERENCE_MS = 60_000;

export function issuedAtToValidFromMs(issuedAtMs: number): number {
  return issuedAtMs - EARLIER_MS;
}

/** When a certificate of ours was issued, from when it begins. */
export function issuedAtOf({ validFrom }: { readonly validFrom: string }): number {
  return Date.parse(validFrom) + EARLIER_MS;
}

/** With less than a third left there is time for many attempts. */
export function isDue({ validTo }: { readonly validTo: string }, nowMs: number): boolean {
  return Date.parse(validTo) - nowMs < LEAF_MS / 3;
}
