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

export async function putUnit(connection: Connection, unit: Partial<FleetUnit> & { name: string }): Promise<Answer> {
  return expectSuccess(await connection.call({ method: "PUT", path: unitPath(unit.name), body: unit }));
}

/** False when there was none. */
export async function deleteUnit(connection: Connection, name: string): Promise<boolean> {
  return expectSuccess(await connection.call({ method: "DELETE", path: unitPath(name) }), [404]).status !== 404;
}

function unitPath(name: string): string {
  return `/fleet/v1/units/${encodeURIComponent(name)}`;
}
