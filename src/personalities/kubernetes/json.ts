/** A JSON object whose shape the schema has yet to check. Built only with `fromEntries` and spreads: a key may be `__proto__`. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
