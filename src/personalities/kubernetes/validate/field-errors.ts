/** Kubernetes' words for what is wrong with a field. Source: k8s.io/apimachinery/pkg/util/validation/field/errors.go. */
import type { FieldError } from "../../../model/errors.ts";

export type { FieldError } from "../../../model/errors.ts";

export function required(field: string, detail = ""): FieldError {
  return { field, reason: "FieldValueRequired", message: withDetail("Required value", detail) };
}

export function invalidValue(field: string, value: unknown, detail = ""): FieldError {
  return { field, reason: "FieldValueInvalid", message: withDetail(`Invalid value: ${shown(value)}`, detail) };
}

export function unsupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const values = supported.map((text) => JSON.stringify(text)).join(", ");
  return {
    field,
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${shown(value)}: supported values: ${values}`,
  };
}

export function duplicate(field: string, value: unknown): FieldError {
  return { field, reason: "FieldValueDuplicate", message: `Duplicate value: ${shown(value)}` };
}

export function missing(field: string, value: unknown): FieldError {
  return { field, reason: "FieldValueNotFound", message: `Not found: ${shown(value)}` };
}

export function notAllowed(field: string, detail: string): FieldError {
  return { field, reason: "FieldValueForbidden", message: withDetail("Forbidden", detail) };
}

export function tooLong(field: string, most: number): FieldError {
  return { field, reason: "FieldValueTooLong", message: `Too long: may not be more than ${most} bytes` };
}

export function tooMany(field: string, count: number, most: number): FieldError {
  return {
    field,
    reason: "FieldValueTooMany",
    message: `Too many: ${count}: must have at most ${most} ${most === 1 ? "item" : "items"}`,
  };
}

/** Field is immutable, with the value that was asked for. */
export function immutable(field: string, value: unknown): FieldError {
  return invalidValue(field, value, "field is immutable");
}

function withDetail(text: string, detail: string): string {
  return detail === "" ? text : `${text}: ${detail}`;
}

const LONGEST_SHOWN = 200;

/** As JSON, cut: an error message is not the place for a megabyte. */
function shown(value: unknown): string {
  const text = value === undefined || value === null ? "null" : JSON.stringify(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
