import { ApiError } from "../../../model/errors.ts";
import { badRequest, invalid } from "../status.ts";
import { unsupported } from "../validate/field-errors.ts";

/** What is done about fields that a kind does not have. Kubernetes' default is Warn. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
}

/** What a refusal calls the options of a request. */
type OptionsKind = "CreateOptions" | "UpdateOptions" | "PatchOptions" | "DeleteOptions";

export function writeOptions(url: URL, kind: OptionsKind): WriteOptions {
  const fieldValidation = url.searchParams.get("fieldValidation") || "Warn";
  if (fieldValidation !== "Strict" && fieldValidation !== "Warn" && fieldValidation !== "Ignore") {
    throw invalid(kind, "", [unsupported("fieldValidation", fieldValidation, ["Ignore", "Strict", "Warn"])]);
  }
  return { dryRun: parseDryRun(url.searchParams.getAll("dryRun"), kind), fieldValidation };
}

export function parseDryRun(values: readonly string[], kind: OptionsKind): boolean {
  const given = values.filter((value) => value !== "");
  const odd = given.find((value) => value !== "All");
  if (odd !== undefined) throw invalid(kind, "", [unsupported("dryRun", odd, ["All"])]);
  return given.length > 0;
}

/** As Go's ParseBool, with absent as false. */
export function flag(url: URL, name: string): boolean {
  const text = url.searchParams.get(name);
  return text !== null && !["", "0", "f", "F", "false", "False", "FALSE"].includes(text);
}

/** A whole number that is not negative; undefined when absent or empty. */
export function wholeNumber(url: URL, name: string): number | undefined {
  const text = url.searchParams.get(name);
  if (text === null || text === "") return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number`);
  return Number(text);
}

/** A list or watch may not be older than this; refuses what lies in the future, as the client would wait for ever. */
export function refuseFuture(asked: number, current: number): void {
  if (asked <= current) return;
  throw new ApiError("Timeout", `Too large resource version: ${asked}, current: ${current}`, {
    retryAfterSeconds: 1,
    causes: [{ field: "", reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
  });
}
