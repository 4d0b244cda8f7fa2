/** The calls of fleet's API that the command line makes. */
import type { UnitOption } from "../../model/pod.ts";
import { type Answer, type Connection, parseAnswer } from "../connection.ts";
import { expectSuccess } from "./dialect-error.ts";

export type DesiredState = "inactive" | "loaded" | "launched";

export interface FleetUnit {
  readonly name: string;
  readonly options: readonly UnitOption[];
  readonly desiredState: DesiredState;
}

export async function getUnit(connection: Connection, name: string): Promise<FleetUnit | undefined> {
  const answer = expectSuccess(await connection.call({ method: "GET", path: unitPath(name) }), [404]);
  if (answer.status === 404) return undefined;
  const unit = parseAnswer(answer.text, name) as Partial<FleetUnit>;
  // fleet leaves empty values out of its JSON.
  const options = (unit.options ?? []).map(({ section, name, value }) => ({ section, name, value: value ?? "" }));
  return { name, options, desiredState: unit.desiredState ?? "inactive" };
}

/** With the lines of its file, so that the server's words name them. A [Service] that systemd would not load is refused. */
export async function putUnit(connection: Connection, unit: Partial<SentUnit> & { name: string }): Promise<Answer> {
  const path = `${unitPath(unit.name)}?fieldValidation=Strict`;
  return expectSuccess(await connection.call({ method: "PUT", path, body: withLines(unit) }));
}

/** Throws what the server would say to this unit; nothing is changed. */
export async function checkUnit(connection: Connection, unit: Omit<SentUnit, "desiredState">): Promise<void> {
  const { name, options, lines } = unit;
  const path = `${unitPath(name)}?fieldValidation=Strict&dryRun=All`;
  const body = withLines({ name, options, desiredState: "inactive", ...(lines === undefined ? {} : { lines }) });
  expectSuccess(await connection.call({ method: "PUT", path, body }));
}

interface SentUnit extends FleetUnit {
  /** The line of each option in its file. */
  readonly lines?: readonly number[];
}

function withLines({ lines, ...unit }: Partial<SentUnit>): object {
  if (lines === undefined || unit.options === undefined) return unit;
  return { ...unit, options: unit.options.map((option, at) => ({ ...option, line: lines[at] ?? 0 })) };
}

/** False when there was none. */
export async function deleteUnit(connection: Connection, name: string): Promise<boolean> {
  return expectSuccess(await connection.call({ method: "DELETE", path: unitPath(name) }), [404]).status !== 404;
}

function unitPath(name: string): string {
  return `/fleet/v1/units/${encodeURIComponent(name)}`;
}
