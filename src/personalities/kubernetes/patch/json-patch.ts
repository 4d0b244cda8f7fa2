/** RFC 6902. Every failure names the operation; a failed `test` leaves everything as it was, as nothing is changed in place. */
import { ApiError } from "../../../model/errors.ts";
import { sameJson } from "../../../store/transaction.ts";
import { isObject } from "../json.ts";

type Pointer = readonly string[];

export type JsonPatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: Pointer; readonly value: unknown }
  | { readonly op: "remove"; readonly path: Pointer }
  | { readonly op: "move" | "copy"; readonly path: Pointer; readonly from: Pointer };

/** Kubernetes' own limit. */
const MOST_OPERATIONS = 10_000;
/** A chain of copies can double an object each time. */
const LARGEST_RESULT_CHARACTERS = 3 * 1024 * 1024;

export function parseJsonPatch(value: unknown): readonly JsonPatchOperation[] {
  if (!Array.isArray(value)) throw refusal("a JSON patch is a list of operations");
  if (value.length > MOST_OPERATIONS) {
    throw new ApiError(
      "TooLarge",
      `The allowed maximum operations in a JSON patch is ${MOST_OPERATIONS}, got ${value.length}`,
    );
  }
  return value.map((operation, at) => {
    if (!isObject(operation)) throw refusal(`operation ${at} is not an object`);
    const { op, path, from, value } = operation;
    const target = pointer(path, `operation ${at}: path`);
    if (op === "remove") return { op, path: target };
    if (op === "move" || op === "copy") return { op, path: target, from: pointer(from, `operation ${at}: from`) };
    if (op !== "add" && op !== "replace" && op !== "test") {
      throw refusal(`operation ${at}: unknown op ${JSON.stringify(op ?? null)}`);
    }
    if (!Object.hasOwn(operation, "value")) throw refusal(`operation ${at}: value is missing`);
    return { op, path: target, value };
  });
}

export function applyJsonPatch(document: unknown, operations: readonly JsonPatchOperation[]): unknown {
  let current = document;
  let copied = 0;
  for (const operation of operations) {
    if (operation.op === "copy") copied += JSON.stringify(read(current, operation.from))?.length ?? 0;
    if (copied > LARGEST_RESULT_CHARACTERS) throw refusal("the copy operations make the object too large");
    current = applyOne(current, operation);
  }
  return current;
}

function applyOne(current: unknown, operation: JsonPatchOperation): unknown {
  const { op, path } = operation;
  switch (op) {
    case "add":
    case "replace":
      return put(current, path, operation.value, op);
    case "remove":
      return put(current, path, undefined, op);
    case "test":
      if (sameJson(read(current, path), operation.value)) return current;
      throw refusal(`testing value ${shown(path)} failed`);
    case "copy":
      return put(current, path, read(current, operation.from), "add");
    case "move":
      return put(put(current, operation.from, undefined, "remove"), path, read(current, operation.from), "add");
  }
}

type Action = "add" | "replace" | "remove";

/** The document with one place changed; everything beside the way to it is shared. */
function put(node: unknown, path: Pointer, value: unknown, action: Action, done: Pointer = []): unknown {
  const [key, ...rest] = path;
  if (key === undefined) {
    if (action === "remove") throw refusal("the whole object cannot be removed");
    return value;
  }
  const here = [...done, key];
  if (Array.isArray(node)) return putInList(node, key, rest, value, action, here);
  if (!isObject(node)) throw refusal(`${action} operation does not apply: doc is missing path: ${shown(here)}`);
  const exists = Object.hasOwn(node, key);
  if (!exists && (rest.length > 0 || action !== "add")) throw missing(action, here);
  const entries = new Map(Object.entries(node));
  if (rest.length > 0) entries.set(key, put(entries.get(key), rest, value, action, here));
  else if (action === "remove") entries.delete(key);
  else entries.set(key, value);
  return Object.fromEntries(entries);
}

function putInList(
  list: readonly unknown[],
  key: string,
  rest: Pointer,
  value: unknown,
  action: Action,
  here: Pointer,
): unknown {
  const appends = key === "-" && action === "add" && rest.length === 0;
  const at = appends ? list.length : index(key, here);
  const last = action === "add" && rest.length === 0 ? list.length : list.length - 1;
  if (at > last) throw missing(action, here);
  if (rest.length > 0) return list.with(at, put(list[at], rest, value, action, here));
  if (action === "replace") return list.with(at, value);
  return action === "add" ? list.toSpliced(at, 0, value) : list.toSpliced(at, 1);
}

function read(node: unknown, path: Pointer): unknown {
  let current = node;
  path.forEach((key, depth) => {
    const here = path.slice(0, depth + 1);
    if (Array.isArray(current)) {
      const at = index(key, here);
      if (at >= current.length) throw missing("read", here);
      current = current[at];
    } else if (isObject(current) && Object.hasOwn(current, key)) current = current[key];
    else throw missing("read", here);
  });
  return current;
}

function index(key: string, here: Pointer): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(key)) throw refusal(`${shown(here)} is not an index of a list`);
  return Number(key);
}

function pointer(value: unknown, what: string): Pointer {
  if (typeof value !== "string" || (value !== "" && !value.startsWith("/"))) {
    throw refusal(`${what} is not a JSON pointer`);
  }
  return value
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function shown(path: Pointer): string {
  return `/${path.join("/")}`;
}

function missing(action: string, here: Pointer): ApiError {
  return refusal(`${action} operation does not apply: doc is missing path: ${shown(here)}`);
}

function refusal(why: string): ApiError {
  return new ApiError("Invalid", `the server rejected our request due to an error in our request: ${why}`);
}
