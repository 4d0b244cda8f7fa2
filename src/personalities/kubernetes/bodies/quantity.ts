/**
 * Quantities as Kubernetes writes them back: the shortest form of the same family (`1000m` → `1`, `1024Mi` → `1Gi`,
 * `0.5` → `500m`), rounded up to whole nano-units. Source: k8s.io/apimachinery/pkg/api/resource, Quantity.CanonicalizeBytes.
 */
const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE])([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;
const NANOS = 10n ** 9n;
/** Kubernetes caps quantities at 2^63-1 in whole units. */
const MOST_NANOS = (2n ** 63n - 1n) * NANOS;

/** The canonical form, or undefined when `text` is not a quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const parts = SHAPE.exec(text);
  if (!parts) return undefined;
  const [, sign = "", whole = "", fraction = "", e, exponent = "0", suffix = ""] = parts;
  // `1e99999999` is short to write and long to work out.
  if ((whole === "" && fraction === "") || Math.abs(Number(exponent)) > 30 || text.length > 64) return undefined;
  const nanos = scaled(BigInt(`${whole}${fraction}` || "0"), fraction.length, suffix, Number(exponent));
  const capped = nanos > MOST_NANOS ? MOST_NANOS : nanos;
  const written = write(capped, suffix.endsWith("i") ? "binary" : e === undefined ? "decimal" : "exponent");
  return sign === "-" && capped !== 0n ? `-${written}` : written;
}

function scaled(digits: bigint, fractionDigits: number, suffix: string, exponent: number): bigint {
  const binary = BINARY.findIndex((unit) => unit !== "" && unit === suffix);
  const factor = binary > 0 ? 1024n ** BigInt(binary) : 1n;
  const power = 9 - fractionDigits + (binary > 0 ? 0 : (DECIMAL[suffix] ?? 0)) + exponent;
  const value = digits * factor;
  if (power >= 0) return value * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (value + divisor - 1n) / divisor;
}

function write(nanos: bigint, family: "binary" | "decimal" | "exponent"): string {
  if (nanos === 0n) return "0";
  if (family === "binary" && nanos % NANOS === 0n && nanos >= 1024n * NANOS) return writeBinary(nanos / NANOS);
  let power = -9;
  let value = nanos;
  while (power < 18 && value % 1000n === 0n) {
    value /= 1000n;
    power += 3;
  }
  if (family === "exponent") return power === 0 ? String(value) : `${value}e${power}`;
  const unit = Object.entries(DECIMAL).find(([, p]) => p === power)?.[0] ?? "";
  return `${value}${unit}`;
}

function writeBinary(units: bigint): string {
  let at = 0;
  let value = units;
  while (at < BINARY.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    at++;
  }
  return `${value}${BINARY[at]}`;
}
