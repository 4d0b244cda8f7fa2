/** PUT /units/NAME: what a body does to the store, in fleet's order of decisions (specs 3.3). */
import { ApiError } from "../../model/errors.ts";
import type { UnitOption } from "../../model/pod.ts";
import { parseUnitFile, UnitFileError } from "../../model/unit/parse-unit-file.ts";
import { serializeUnit, unitHash } from "../../model/unit/serialize-unit.ts";
import { isTemplate } from "../../model/unit/unit-name.ts";
import type { Tx } from "../../store/transaction.ts";
import { careProblem } from "./care.ts";
import { quote } from "./go-quote.ts";
import { type Unit, type UnitDesire, units } from "./kinds.ts";
import { requirementProblem } from "./requirement-problem.ts";
import type { UnitBody } from "./unit-body.ts";

const DESIRES: readonly UnitDesire[] = ["inactive", "loaded", "launched"];

export interface UnitPlan {
  /** 201 when the unit is made or replaced, 204 when only its desired state is set. */
  readonly status: 201 | 204;
  readonly spec: Unit["spec"];
}

/** What the body makes of the unit that is there. Throws fleet's refusals. */
export function planUnit(before: Unit | undefined, body: UnitBody, nowMs: number): UnitPlan {
  const { name, options } = body;
  if (!before && options.length === 0) throw new ApiError("Conflict", "unit does not exist and options field empty");
  if (!before || (options.length > 0 && unitHash(options) !== unitHash(before.spec.options))) {
    // Of a unit that is there fleet does not check the new options; it then runs what it would refuse to create.
    checkOptions(options);
    const desiredState = parseDesire(body.desiredState || "inactive");
    return { status: 201, spec: { options, desiredState, stops: before ? before.spec.stops + 1 : 0 } };
  }
  if (body.desiredState === "") throw new ApiError("Conflict", "must provide DesiredState to update existing unit");
  const desiredState = parseDesire(body.desiredState);
  if (desiredState !== "inactive" && isTemplate(name))
    throw new ApiError("BadRequest", `cannot activate template ${quote(name)}`);
  const isStop = before.spec.desiredState === "launched" && desiredState !== "launched";
  const stop = isStop ? { stops: before.spec.stops + 1, stoppedAtMs: nowMs } : {};
  return { status: 204, spec: { ...before.spec, desiredState, ...stop } };
}

export function putUnit(tx: Tx, body: UnitBody): 201 | 204 {
  const { name } = body;
  const before = tx.get(units, name);
  const { status, spec } = planUnit(before, body, tx.nowMs);
  if (before) tx.update(units, { ...before, spec });
  else tx.create<Unit>(units, { apiVersion: units.apiVersion, kind: "Unit", metadata: { name }, spec });
  return status;
}

/** fleet answers 500 to others, or poisons the unit for ever; nobody relies on that (specs 3.3, "do instead"). */
function parseDesire(text: string): UnitDesire {
  const desire = DESIRES.find((known) => known === text);
  if (desire !== undefined) return desire;
  throw new ApiError("BadRequest", `invalid desiredState ${quote(text)}: it is one of ${DESIRES.join(", ")}`);
}

/** fleet's own checks: that the unit survives being written to a file and read again, and the combinations of [X-Fleet]. */
function checkOptions(options: readonly UnitOption[]): void {
  try {
    parseUnitFile(serializeUnit(options));
  } catch (error) {
    if (error instanceof UnitFileError) throw new ApiError("BadRequest", error.message);
    throw error;
  }
  const problem = requirementProblem(options) ?? careProblem(options);
  if (problem !== undefined) throw new ApiError("BadRequest", problem);
}
