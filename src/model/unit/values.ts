/** systemd's spellings of values: booleans, time spans, sizes, percentages, signals. Undefined means "cannot be read". */
import { constants } from "node:os";

const TRUE = new Set(["1", "yes", "y", "true", "t", "on"]);
const FALSE = new Set(["0", "no", "n", "false", "f", "off"]);

/** Case does not matter. Source: systemd parse_boolean(). */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (TRUE.has(word)) return true;
  return FALSE.has(word) ? false : undefined;
}

const SECOND = 1000;
const DAY = 86_400 * SECOND;
/** systemd.time(7): a month is 30.44 days, a year 365.25. Milliseconds. */
const SPAN_MS: Readonly<Record<string, number>> = {
  usec: 0.001,
  us: 0.001,
  µs: 0.001,
  μs: 0.001,
  msec: 1,
  ms: 1,
  "": SECOND,
  seconds: SECOND,
  second: SECOND,
  sec: SECOND,
  s: SECOND,
  minutes: 60 * SECOND,
  minute: 60 * SECOND,
  min: 60 * SECOND,
  m: 60 * SECOND,
  hours: 3600 * SECOND,
  hour: 3600 * SECOND,
  hr: 3600 * SECOND,
  h: 3600 * SECOND,
  days: DAY,
  day: DAY,
  d: DAY,
  weeks: 7 * DAY,
  week: 7 * DAY,
  w: 7 * DAY,
  months: 2_629_800 * SECOND,
  month: 2_629_800 * SECOND,
  M: 2_629_800 * SECOND,
  years: 31_557_600 * SECOND,
  year: 31_557_600 * SECOND,
  y: 31_557_600 * SECOND,
};

/** `90`, `5min 20s`, `1.5h`, `infinity`. A bare number is seconds. Milliseconds; Infinity for no end. */
export function parseTimeSpanMs(text: string): number | undefined {
  const source = text.trim();
  if (source === "infinity") return Number.POSITIVE_INFINITY;
  if (source === "") return undefined;
  let total = 0;
  let rest = source;
  while (rest !== "") {
    const part = /^(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-zµμ]*)\s*/.exec(rest);
    const unit = SPAN_MS[part?.[2] ?? ""];
    if (!part || unit === undefined) return undefined;
    total += Number(part[1]) * unit;
    rest = rest.slice(part[0].length);
  }
  return total;
}

const SIZE: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
  E: 2 ** 60,
};

/** `512M`, `1.5G`, base 1024. `infinity` is for the caller. */
export function parseBytes(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d*)?)\s*([BKMGTPE]?)$/.exec(text.trim());
  if (!parts) return undefined;
  const value = Number(parts[1]) * (SIZE[parts[2] ?? ""] ?? 1);
  return Number.isFinite(value) ? Math.floor(value) : undefined;
}

/** `20%`, `12.5%` → 20, 12.5. */
export function parsePercent(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d{1,2})?)%$/.exec(text.trim());
  return parts ? Number(parts[1]) : undefined;
}

export function parseInteger(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
}

/** `SIGTERM`, `TERM`, `15`. */
export function parseSignal(text: string): number | undefined {
  const name = text.trim();
  const number = parseInteger(name);
  if (number !== undefined) return number >= 1 && number <= 64 ? number : undefined;
  const signals: Readonly<Record<string, number>> = constants.signals;
  const full = name.startsWith("SIG") ? name : `SIG${name}`;
  return Object.hasOwn(signals, full) ? signals[full] : undefined;
}

/** `SIGKILL` for 9. Real-time signals are `SIG34` and up. */
export function signalName(signal: number): string {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `SIG${signal}`;
}
