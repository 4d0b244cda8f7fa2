/** Kubernetes' resource quantities: `100m`, `1.5`, `16Mi`, `2G`, `1e3`. Source: k8s.io/apimachinery/pkg/api/resource. */

const SUFFIX: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const SHAPE = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/** Kubernetes' words for a quantity it cannot read. */
export const QUANTITY_SHAPE_MESSAGE =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** The value in base units (cores, bytes), or undefined when `text` is not a quantity. */
export function parseQuantity(text: string): number | undefined {
  const parts = SHAPE.exec(text);
  if (!parts) return undefined;
  const [, digits = "", exponent, suffix = ""] = parts;
  const value = exponent === undefined ? Number(digits) * (SUFFIX[suffix] ?? Number.NaN) : Number(digits + exponent);
  return Number.isFinite(value) ? value : undefined;
}

/** Cores as whole milli-CPUs, rounded up, as the scheduler counts them. 0 when absent or not a quantity. */
export function cpuMillis(quantity: string | undefined): number {
  return quantity === undefined ? 0 : Math.ceil(roundOff((parseQuantity(quantity) ?? 0) * 1000));
}

/** Whole bytes, rounded up. 0 when absent or not a quantity. */
export function bytes(quantity: string | undefined): number {
  return quantity === undefined ? 0 : Math.ceil(roundOff(parseQuantity(quantity) ?? 0));
}

/** `1500` → `1500m`, `2000` → `2`. */
export function formatCpuMillis(millis: number): string {
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`;
}

/** The largest binary unit that divides it: `67108864` → `64Mi`. */
export function formatBytes(count: number): string {
  for (const unit of ["Ei", "Pi", "Ti", "Gi", "Mi", "Ki"] as const) {
    const size = SUFFIX[unit] ?? 1;
    if (count >= size && count % size === 0) return `${count / size}${unit}`;
  }
  return String(count);
}

/** For people, three digits: `1.5 GiB`, `300 MiB`. */
export function humanBytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = count;
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at++;
  }
  return `${Number(value.toPrecision(3))} ${units[at]}`;
}

/** 0.1 × 1000 must be 100, not 100.00000000000001 and then 101. */
function roundOff(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 * Math.max(1, Math.abs(value)) ? nearest : value;
}
