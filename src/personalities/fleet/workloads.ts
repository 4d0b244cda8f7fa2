import { readService } from "../../model/unit/read-service.ts";
import { isTemplate, parseUnitName } from "../../model/unit/unit-name.ts";
import type { DeclaredWorkload, WorkloadSource } from "../../model/workload.ts";
import { type Unit, units } from "./kinds.ts";
import { readRequirements } from "./requirements.ts";

/** Units as rows of `styr ps`. */
export const unitWorkloads: WorkloadSource = {
  dialect: "fleet",
  kinds: [units],
  list: (reader) => reader.list(units).map(declared),
};

function declared(unit: Unit): DeclaredWorkload {
  const { name, uid, creationTimestamp } = unit.metadata;
  const { options, desiredState } = unit.spec;
  const wanted = readRequirements(options, name).isGlobal ? "each node" : 1;
  const note = noteOn(unit);
  const command = readService(options, name).service.execStart[0]?.argv.join(" ");
  return {
    dialect: "fleet",
    kind: "Unit",
    name,
    uid,
    key: name,
    desired: desiredState === "launched" && !isTemplate(name) && isExecuted(name) ? wanted : 0,
    createdAt: creationTimestamp,
    ...(command === undefined ? {} : { what: command }),
    canScale: false,
    ...(note === undefined ? {} : { note }),
  };
}

function isExecuted(name: string): boolean {
  return parseUnitName(name).suffix === "service";
}

function noteOn({ metadata, spec }: Unit): string | undefined {
  if (isTemplate(metadata.name)) return "template";
  if (!isExecuted(metadata.name)) return `a .${parseUnitName(metadata.name).suffix} unit is not executed`;
  return spec.desiredState === "launched" ? undefined : spec.desiredState;
}
