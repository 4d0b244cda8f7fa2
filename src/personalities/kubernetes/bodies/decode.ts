/** From a parsed body to an object of a kind: types checked, unknown fields taken out and named, quantities in canonical form. */
import { QUANTITY_SHAPE_MESSAGE } from "../../../lib/quantity.ts";
import { ApiError } from "../../../model/errors.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type FieldType, messageOf, type Scalar } from "../schema/schema.ts";
import { canonicalQuantity } from "./quantity.ts";

export interface Decoded {
  readonly object: JsonObject;
  /** Paths of fields that the kind does not have; they are not in `object`. */
  readonly unknown: readonly string[];
}

/** Where a value is: for people with indexes, for Go's words without. */
interface Place {
  readonly path: string;
  readonly goPath: string;
  readonly struct: string;
}

interface Run {
  readonly kind: string;
  readonly unknown: string[];
}

/** Decodes `value` as the message `kind`. Refuses with 400 in the words of Go's JSON decoder when a type is wrong. */
export function decodeObject(value: JsonObject, kind: string): Decoded {
  const run: Run = { kind, unknown: [] };
  const object = decodeMessage(run, value, kind, { path: "", goPath: "", struct: kind });
  return { object, unknown: run.unknown };
}

function decodeValue(run: Run, value: unknown, type: FieldType, place: Place): unknown {
  switch (type.is) {
    case "scalar":
      return decodeScalar(run, value, type.scalar, place);
    case "message":
      return decodeMessage(run, value, type.message, place);
    case "list":
      if (!Array.isArray(value)) throw mismatch(run, value, `[]${goType(type.of)}`, place);
      return value.map((item, at) =>
        // A null in a list is the type's zero value in Go.
        decodeValue(run, item ?? zeroOf(type.of), type.of, { ...place, path: `${place.path}[${at}]` }),
      );
    case "map": {
      if (!isObject(value)) throw mismatch(run, value, `map[string]${goType(type.of)}`, place);
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          decodeValue(run, item ?? zeroOf(type.of), type.of, { ...place, path: `${place.path}[${key}]` }),
        ]),
      );
    }
  }
}

function decodeMessage(run: Run, value: unknown, name: string, place: Place): JsonObject {
  if (!isObject(value)) throw mismatch(run, value, `v1.${name}`, place);
  const fields = messageOf(name);
  const known: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const type = fields.get(key);
    const path = place.path === "" ? key : `${place.path}.${key}`;
    if (!type) run.unknown.push(path);
    else if (item !== null && item !== undefined) {
      const goPath = place.goPath === "" ? key : `${place.goPath}.${key}`;
      known.push([key, decodeValue(run, item, type, { path, goPath, struct: name })]);
    }
  }
  return Object.fromEntries(known);
}

const INTEGER_LIMITS: Readonly<Record<"i" | "l", number>> = { i: 2 ** 31, l: 2 ** 63 };

function decodeScalar(run: Run, value: unknown, scalar: Scalar, place: Place): unknown {
  const fits = (ok: boolean): unknown => {
    if (!ok) throw mismatch(run, value, GO_SCALAR[scalar], place);
    return value;
  };
  switch (scalar) {
    case "any":
      return value;
    case "s":
      return fits(typeof value === "string");
    case "b":
      return fits(typeof value === "boolean");
    case "i":
    case "l":
      return fits(Number.isInteger(value) && Math.abs(value as number) < INTEGER_LIMITS[scalar]);
    case "f":
      return fits(typeof value === "number");
    case "I":
      return fits(typeof value === "string" || (Number.isInteger(value) && Math.abs(value as number) < 2 ** 31));
    case "B":
      fits(typeof value === "string");
      if (!isBase64(value as string)) throw cannot(run, `illegal base64 data in ${place.path}`);
      return value;
    case "T":
      fits(typeof value === "string");
      if (!isTime(value as string))
        throw cannot(run, `parsing time ${JSON.stringify(value)} in ${place.path}: it must be in RFC 3339`);
      return value;
    case "Q":
      return decodeQuantity(run, value, place);
  }
}

function decodeQuantity(run: Run, value: unknown, place: Place): string {
  if (typeof value !== "string" && typeof value !== "number") throw mismatch(run, value, "resource.Quantity", place);
  const canonical = canonicalQuantity(String(value).trim());
  if (canonical === undefined) throw cannot(run, `${place.path}: ${QUANTITY_SHAPE_MESSAGE}`);
  return canonical;
}

function isBase64(text: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text.replace(/[\r\n]/g, ""));
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

function isTime(text: string): boolean {
  return TIME.test(text) && !Number.isNaN(Date.parse(text));
}

const GO_SCALAR: Readonly<Record<Scalar, string>> = {
  s: "string",
  b: "bool",
  i: "int32",
  l: "int64",
  f: "float64",
  B: "[]uint8",
  Q: "resource.Quantity",
  I: "int32 or string",
  T: "v1.Time",
  any: "object",
};

function goType(type: FieldType): string {
  switch (type.is) {
    case "scalar":
      return GO_SCALAR[type.scalar];
    case "message":
      return `v1.${type.message}`;
    case "list":
      return `[]${goType(type.of)}`;
    case "map":
      return `map[string]${goType(type.of)}`;
  }
}

function zeroOf(type: FieldType): unknown {
  if (type.is === "list") return [];
  if (type.is !== "scalar") return {};
  if (type.scalar === "b") return false;
  return type.scalar === "i" || type.scalar === "l" || type.scalar === "f" ? 0 : "";
}

function mismatch(run: Run, value: unknown, wanted: string, { goPath, struct }: Place): ApiError {
  const found = Array.isArray(value) ? "array" : value === null ? "null" : JSON_TYPE[typeof value];
  const shown = typeof value === "number" ? `number ${value}` : (found ?? "value");
  const where = goPath === "" ? "Go value" : `Go struct field ${struct}.${goPath}`;
  return cannot(run, `json: cannot unmarshal ${shown} into ${where} of type ${wanted}`);
}

const JSON_TYPE: Readonly<Record<string, string>> = {
  object: "object",
  string: "string",
  number: "number",
  boolean: "bool",
};

function cannot({ kind }: Run, why: string): ApiError {
  return new ApiError("BadRequest", `${kind} in version "v1" cannot be handled as a ${kind}: ${why}`);
}
