/** PATCH /machines: metadata set from outside, over what the machine says of itself (specs 3.4). */
import { ApiError } from "../../model/errors.ts";
import type { Tx } from "../../store/transaction.ts";
import { type MachineMetadata, machineMetadata } from "./kinds.ts";

export interface MetadataChange {
  readonly machineId: string;
  readonly key: string;
  /** "" takes the key away, also one that the machine set itself. */
  readonly value: string;
}

const PATH = /^\/([^/]+)\/metadata\/([A-Za-z0-9_.-]+$)/;
const MOST_OPERATIONS = 1000;

/** Every operation is checked before any is applied. */
export function parseMetadataPatch(text: string): readonly MetadataChange[] {
  const operations = parseList(text);
  return operations.map((operation) => {
    const { op, path, value } = operation;
    if (op !== "add" && op !== "replace" && op !== "remove")
      throw new ApiError("BadRequest", "invalid op: expect add, remove, or replace");
    const [, machineId = "", key = ""] = PATH.exec(typeof path === "string" ? path : "") ?? [];
    if (machineId === "") throw new ApiError("BadRequest", "machine metadata path invalid");
    const wanted = op === "remove" ? "" : metadataValue(value);
    if (op !== "remove" && wanted === "")
      throw new ApiError("BadRequest", "invalid value: add and replace require a value");
    return { machineId, key, value: wanted };
  });
}

function parseList(text: string): readonly Readonly<Record<string, unknown>>[] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed)) throw new ApiError("BadRequest", "json: the body is not a list of operations");
    if (parsed.length > MOST_OPERATIONS)
      throw new ApiError("BadRequest", `${parsed.length} operations; the limit is ${MOST_OPERATIONS}`);
    return parsed.map((entry) => lowerCased(entry));
  } catch (error) {
    if (error instanceof SyntaxError) throw new ApiError("BadRequest", error.message);
    throw error;
  }
}

/** Go matches keys whatever their case; fleet's own clients send `"Value":{"value":…}`. */
function lowerCased(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null)
    throw new ApiError("BadRequest", "json: an operation is not an object");
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key.toLowerCase(), entry]));
}

/** As documented, a string; as fleet reads it, an object with `value`. */
function metadataValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  const inner = lowerCased(value).value;
  return typeof inner === "string" ? inner : "";
}

/** Machines that are not there (yet) are accepted: the values wait for them. */
export function applyMetadata(tx: Tx, changes: readonly MetadataChange[]): void {
  for (const { machineId, key, value } of changes) {
    const before = tx.get(machineMetadata, machineId);
    if (before) tx.update(machineMetadata, { ...before, spec: { values: { ...before.spec.values, [key]: value } } });
    else {
      tx.create<MachineMetadata>(machineMetadata, {
        apiVersion: machineMetadata.apiVersion,
        kind: "MachineMetadata",
        metadata: { name: machineId },
        spec: { values: { [key]: value } },
      });
    }
  }
}
