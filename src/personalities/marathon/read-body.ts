/** From a request's bytes to checked JSON, with Marathon's words for what is wrong. */
import type { z } from "zod";
import { invalidJson, UnreadableBody, type Violation } from "./errors.ts";

/** Throws UnreadableBody when it is not JSON. Members that are null are as good as absent (Play's readNullable). */
export async function readJson(request: Request): Promise<unknown> {
  const text = await request.text();
  if (text.trim() === "") throw new UnreadableBody("No content to map due to end-of-input");
  try {
    return JSON.parse(text, (_key, value) => (isPlainObject(value) ? withoutNulls(value) : value));
  } catch (error) {
    throw new UnreadableBody((error as Error).message);
  }
}

/** Throws "Invalid JSON" with a code per path. */
export function checkShape<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw invalidJson(result.error.issues.map((issue) => violationOf(issue, json)));
}

type Issue = z.core.$ZodIssue;

function violationOf(issue: Issue, json: unknown): Violation {
  // A union says what each branch misses; the first branch is the plain spelling.
  if (issue.code === "invalid_union") {
    const inner = issue.errors.find((branch) => branch.length > 0)?.[0];
    if (inner) return violationOf({ ...inner, path: [...issue.path, ...inner.path] } as Issue, json);
  }
  return { field: pathOf(issue.path), message: codeOf(issue, valueAt(json, issue.path)) };
}

/** `["container","volumes",0]` is `/container/volumes(0)`. */
function pathOf(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === "number" ? `(${part})` : `/${String(part)}`)).join("");
  return text === "" ? "/" : text;
}

/** Play's error codes. */
function codeOf(issue: Issue, value: unknown): string {
  if (value === undefined) return "error.path.missing";
  switch (issue.code) {
    case "invalid_type":
      return wrongType(issue.expected);
    case "too_small":
      return issue.origin === "number" || issue.origin === "int" ? "error.min" : "error.minLength";
    case "too_big":
      return issue.origin === "number" || issue.origin === "int" ? "error.max" : "error.maxLength";
    case "invalid_value":
      return "error.unknown.enum.literal";
    case "custom":
      return String(issue.params?.code ?? "error.invalid");
    default:
      return "error.invalid";
  }
}

function wrongType(expected: string): string {
  if (expected === "int") return "error.expected.int";
  if (expected === "record") return "error.expected.jsobject";
  return `error.expected.js${expected}`;
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  let at = json;
  for (const part of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[part];
  }
  return at;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withoutNulls(object: Record<string, unknown>): Record<string, unknown> {
  for (const [key, value] of Object.entries(object)) if (value === null) delete object[key];
  return object;
}
