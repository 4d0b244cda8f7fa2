/**
 * Certificates are good from a time to a time, and each host has a clock of its own: which of the two is wrong when one is not
 * taken. Pure.
 */

import { humanDuration } from "../lib/duration.ts";

/** As X509Certificate has them. */
export interface Validity {
  readonly validFrom: string;
  readonly validTo: string;
}

export const SET_CLOCK = "date; timedatectl set-ntp true";
const JOIN_AGAIN = "join again: styr join";
/** Said of a server that says no more, and whose time is none of the reasons. */
const NOT_TAKEN = `it does not take this host's certificate (any more): the host was forgotten, or was away too long; ${JOIN_AGAIN}`;

/** `2026-01-31 12:00:00 UTC`. */
export function stamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Why it is not good at that time, in words that follow its name; undefined when it is. */
export function outOfTime({ validFrom, validTo }: Validity, nowMs: number): string | undefined {
  const [fromMs, toMs] = [Date.parse(validFrom), Date.parse(validTo)];
  if (fromMs > nowMs) return `is not valid before ${stamp(fromMs)}`;
  return toMs <= nowMs ? `ended at ${stamp(toMs)}` : undefined;
}

/** What a server says of a certificate that is not good by its clock; undefined when it is. */
export function refusedByTime(certificate: Validity, nowMs: number): string | undefined {
  const found = outOfTime(certificate, nowMs);
  if (found === undefined) return undefined;
  return `by this server's clock (${stamp(nowMs)}) it ${found}; are the clocks right, here and there (${SET_CLOCK})?`;
}

/** What the holder of a certificate reads out of an answer that does not take it. `date`: its header of that name. */
export function notTakenWords(certificate: Validity, date: string | null | undefined, nowMs: number): string {
  const thereMs = Date.parse(date ?? "");
  const there = Number.isNaN(thereMs) ? undefined : outOfTime(certificate, thereMs);
  if (there === undefined) return NOT_TAKEN;
  if (outOfTime(certificate, nowMs) === undefined)
    return `its clock is ${differenceWords(thereMs - nowMs)} this host's: by it this host's certificate ${there}. Set the clock that is wrong right (${SET_CLOCK}), and this host is taken again`;
  const why = there.startsWith("ended")
    ? "this host was away too long"
    : "it was made by a server's clock that was ahead";
  return `this host's certificate ${there}, by the server's time and by this host's: ${why}; ${JOIN_AGAIN}`;
}

/** In minutes, so that each attempt says the same. */
function differenceWords(differenceMs: number): string {
  const minutes = Math.round(Math.abs(differenceMs) / 60_000);
  return `${humanDuration(minutes * 60_000)} ${differenceMs < 0 ? "behind" : "ahead of"}`;
}

const OF_TIME: Readonly<Record<string, string>> = {
  CERT_NOT_YET_VALID: "is not valid yet",
  CERT_HAS_EXPIRED: "is not valid any more",
};

/** What a host says of a server's certificate that its TLS library refuses with that code; undefined: not for its time. */
export function serverOutOfTime(code: string, server: string): string | undefined {
  const found = Object.hasOwn(OF_TIME, code) ? OF_TIME[code] : undefined;
  if (found === undefined) return undefined;
  return `by this host's clock the certificate of ${server} ${found}; is the clock right here (${SET_CLOCK}) and there?`;
}

/** Whether words about a link say that it is a clock that is wrong. */
export function isOfClock(words: string): boolean {
  return /\bclock\b/.test(words) && words.includes(SET_CLOCK);
}
