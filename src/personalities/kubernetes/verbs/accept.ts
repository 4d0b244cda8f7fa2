/** From a request's body to an object of the resource's kind, with what there is to warn about. */
import type { ApiError } from "../../../model/errors.ts";
import type { StoredObject } from "../../../model/meta.ts";
import { decodeObject } from "../bodies/decode.ts";
import type { JsonObject } from "../json.ts";
import { noMatches, SERVED } from "../served.ts";
import { badRequest } from "../status.ts";
import type { FieldValidation } from "./options.ts";

/** An object as a client sent it: anything may be missing. */
export type Sent<T extends StoredObject> = Omit<T, "metadata"> & { readonly metadata: Partial<T["metadata"]> };

export interface Accepted {
  readonly object: Sent<StoredObject>;
  readonly warnings: readonly string[];
}

export function acceptObject(
  value: JsonObject,
  kind: string,
  fieldValidation: FieldValidation,
  duplicates: readonly string[] = [],
): Accepted {
  checkKind(value, kind);
  const { object, unknown } = decodeObject(value, kind);
  const warnings = [
    ...unknown.map((path) => `unknown field "${path}"`),
    ...duplicates.map((path) => `duplicate field "${path}"`),
  ];
  if (fieldValidation === "Strict" && warnings.length > 0) {
    const what = `strict decoding error: ${warnings.join(", ")}`;
    throw badRequest(`${kind} in version "${versionOf(kind)}" cannot be handled as a ${kind}: ${what}`);
  }
  const { apiVersion: _a, kind: _k, metadata = {}, ...rest } = object;
  const whole = { apiVersion: versionOf(kind), kind, metadata, ...rest } as unknown as Sent<StoredObject>;
  return { object: whole, warnings: fieldValidation === "Ignore" ? [] : warnings };
}

function versionOf(kind: string): string {
  return kind === "Scale" ? "autoscaling/v1" : (SERVED[kind]?.apiVersion ?? "v1");
}

/** A body may leave kind and apiVersion out; if it names them, they must be those of the path. */
function checkKind({ kind: sent, apiVersion }: JsonObject, kind: string): void {
  const expected = versionOf(kind);
  const name = sent || kind;
  const version = apiVersion || expected;
  if (typeof name !== "string" || typeof version !== "string") {
    throw badRequest("couldn't get version/kind; kind and apiVersion must be strings");
  }
  if (name !== kind || version !== expected) throw mismatch(name, version, kind);
}

function mismatch(sent: string, version: string, kind: string): ApiError {
  if (Object.hasOwn(SERVED, sent) && version === versionOf(sent)) {
    const where = `send it to the path of ${SERVED[sent]?.plural} instead`;
    return badRequest(`${sent} in version "${version}" cannot be handled as a ${kind}: ${where}`);
  }
  return badRequest(`${sent} in version "${version}" cannot be handled as a ${kind}: ${noMatches(sent, version)}`);
}
