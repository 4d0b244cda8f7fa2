/** The body of PUT /units/NAME, as Go's decoder reads it. */
import { ApiError } from "../../model/errors.ts";
import type { UnitOption } from "../../model/pod.ts";
import { quote } from "./go-quote.ts";
import { checkName } from "./unit-name-rules.ts";

export interface UnitBody {
  readonly name: string;
  readonly desiredState: string;
  readonly options: readonly UnitOption[];
  /** Lines of the options in the file they came from: our own client sends them, fleetctl does not. */
  readonly lines: readonly number[] | undefined;
}

const MOST_OPTIONS = 10_000;

/** Unknown fields are ignored, empty strings may be left out, and keys count in any case: Go's rules for JSON. */
export function parseUnitBody(text: string, nameInUrl: string): UnitBody {
  const body = record(parseJson(text), "unit");
  const given = textOf(body, "name");
  const desiredState = textOf(body, "desiredState");
  const { options, lines } = readOptions(fieldOf(body, "options") ?? []);
  const name = given || nameInUrl;
  if (name !== nameInUrl) {
    const words = `name in URL ${quote(nameInUrl)} differs from unit name in request body ${quote(name)}`;
    throw new ApiError("BadRequest", words);
  }
  checkName(name);
  return { name, desiredState, options, lines };
}

function readOptions(list: unknown): Pick<UnitBody, "options" | "lines"> {
  if (!Array.isArray(list)) throw undecodable("options is not a list");
  if (list.length > MOST_OPTIONS)
    throw new ApiError("BadRequest", `${list.length} options; the limit is ${MOST_OPTIONS}`);
  const entries = list.map((entry, at) => record(entry, `options[${at}]`));
  const options = entries.map((entry) => ({
    section: textOf(entry, "section"),
    name: textOf(entry, "name"),
    value: textOf(entry, "value"),
  }));
  const lines = entries.map(({ line }) => line);
  const areKnown = lines.length > 0 && lines.every((line): line is number => Number.isSafeInteger(line));
  return { options, lines: areKnown ? lines : undefined };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw undecodable((error as Error).message);
  }
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw undecodable(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function fieldOf(object: Readonly<Record<string, unknown>>, field: string): unknown {
  if (Object.hasOwn(object, field)) return object[field];
  return Object.entries(object).find(([key]) => key.toLowerCase() === field.toLowerCase())?.[1];
}

function textOf(object: Readonly<Record<string, unknown>>, field: string): string {
  const value = fieldOf(object, field) ?? "";
  if (typeof value !== "string") throw undecodable(`${field} is not a string`);
  return value;
}

function undecodable(why: string): ApiError {
  return new ApiError("BadRequest", `unable to decode body: ${why}`);
}
