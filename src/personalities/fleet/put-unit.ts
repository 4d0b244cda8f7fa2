/** PUT /units/NAME, in fleet's order of decisions (specs 3.3). */
import { ApiError } from "../../model/errors.ts";
import type { UnitOption } from "../../model/pod.ts";
import { parseUnitFile, UnitFileError } from "../../model/unit/parse-unit-file.ts";
import { readService } from "../../model/unit/read-service.ts";
import { serializedLines, serializeUnit, unitHash } from "../../model/unit/serialize-unit.ts";
import { suggest } from "../../model/unit/suggest.ts";
import { isTemplate } from "../../model/unit/unit-name.ts";
import type { Tx } from "../../store/transaction.ts";
import { type Unit, type UnitDesire, units } from "./kinds.ts";
import { REQUIREMENT_KEYS, requirementProblem, unknownRequirements } from "./requirements.ts";
import { checkName } from "./unit-name-rules.ts";

export interface UnitBody {
  readonly name: string;
  readonly desiredState: string;
  readonly options: readonly UnitOption[];
  /** Lines of the options in the file they came from: our own client sends them, fleetctl does not. */
  readonly lines: readonly number[] | undefined;
}

const DESIRES: readonly string[] = ["inactive", "loaded", "launched"];
const MOST_OPTIONS = 10_000;

/** The body as fleet reads it: unknown fields are ignored, empty strings may be left out. */
export function parseUnitBody(text: string, nameInUrl: string): UnitBody {
  const body = record(parseJson(text), "unit");
  const name = textOf(body, "name") || nameInUrl;
  if (name !== nameInUrl) {
    throw new ApiError(
      "BadRequest",
      `name in URL ${JSON.stringify(nameInUrl)} differs from unit name in request body ${JSON.stringify(name)}`,
    );
  }
  checkName(name);
  const list = body.options ?? [];
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
  const known = lines.every((line): line is number => typeof line === "number");
  return {
    name,
    desiredState: textOf(body, "desiredState"),
    options,
    lines: known && lines.length > 0 ? lines : undefined,
  };
}

/** What to do with the body. 201 when the unit was made or replaced, 204 when only its desired state was set. */
export function putUnit(tx: Tx, body: UnitBody): 201 | 204 {
  const { name, options } = body;
  const before = tx.get(units, name);
  if (!before && options.length === 0) throw new ApiError("Conflict", "unit does not exist and options field empty");
  if (!before || (options.length > 0 && unitHash(options) !== unitHash(before.spec.options))) {
    checkOptions(options);
    checkDesire(body.desiredState === "" ? "inactive" : body.desiredState);
    const desiredState = (body.desiredState === "" ? "inactive" : body.desiredState) as UnitDesire;
    write(tx, before, name, { options, desiredState, stops: (before?.spec.stops ?? 0) + (before ? 1 : 0) });
    return 201;
  }
  if (body.desiredState === "") throw new ApiError("Conflict", "must provide DesiredState to update existing unit");
  checkDesire(body.desiredState);
  const desiredState = body.desiredState as UnitDesire;
  if (desiredState !== "inactive" && isTemplate(name))
    throw new ApiError("BadRequest", `cannot activate template ${JSON.stringify(name)}`);
  const stops = before.spec.desiredState === "launched" && desiredState !== "launched";
  write(tx, before, name, {
    ...before.spec,
    desiredState,
    ...(stops ? { stops: before.spec.stops + 1, stoppedAtMs: tx.nowMs } : {}),
  });
  return 204;
}

function write(tx: Tx, before: Unit | undefined, name: string, spec: Unit["spec"]): void {
  if (before) tx.update(units, { ...before, spec });
  else tx.create<Unit>(units, { apiVersion: units.apiVersion, kind: "Unit", metadata: { name }, spec });
}

function checkDesire(text: string): void {
  // fleet answers 500, or poisons the unit for ever; nobody relies on that (specs 3.3, "do instead").
  if (!DESIRES.includes(text))
    throw new ApiError(
      "BadRequest",
      `invalid desiredState ${JSON.stringify(text)}: it is one of inactive, loaded, launched`,
    );
}

/** fleet's own checks: the combinations of [X-Fleet], and that the unit survives being written to a file and read again. */
function checkOptions(options: readonly UnitOption[]): void {
  const problem = requirementProblem(options);
  if (problem !== undefined) throw new ApiError("BadRequest", problem);
  try {
    parseUnitFile(serializeUnit(options));
  } catch (error) {
    if (error instanceof UnitFileError) throw new ApiError("BadRequest", error.message);
    throw error;
  }
}

export interface UnitRemarks {
  /** Things that are ignored or not done; the unit runs all the same. */
  readonly warnings: readonly string[];
  /** Why systemd would not load it. */
  readonly errors: readonly string[];
}

/** What a person should know about a unit before they wonder. */
export function remarksOn({ name, options, lines }: Pick<UnitBody, "name" | "options" | "lines">): UnitRemarks {
  const { diagnostics } = readService(options, name, lines === undefined ? {} : { lines });
  const at = lines ?? serializedLines(options);
  const unknown = unknownRequirements(options).map(({ at: index, key }) => {
    const better = suggest(key, REQUIREMENT_KEYS);
    const hint = better === undefined ? "" : `; did you mean "${better}"?`;
    return `${name}:${at[index] ?? 0}: unknown key "${key}" in [X-Fleet] is ignored${hint}`;
  });
  const of = (severity: string) =>
    diagnostics.filter((diagnostic) => diagnostic.severity === severity).map(({ message }) => message);
  return { warnings: [...of("warning"), ...unknown], errors: of("error") };
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

function textOf(object: Readonly<Record<string, unknown>>, field: string): string {
  const value = object[field] ?? "";
  if (typeof value !== "string") throw undecodable(`${field} is not a string`);
  return value;
}

function undecodable(why: string): ApiError {
  return new ApiError("BadRequest", `unable to decode body: ${why}`);
}
