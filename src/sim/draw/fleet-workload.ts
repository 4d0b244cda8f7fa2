import type { Random } from "../../seams/random.ts";
import type { SimRequest } from "../contract.ts";
import { chance, weighted } from "./dice.ts";
import { PROGRAMS, type Workload } from "./workload.ts";

interface Option {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** One unit, a global one, or a template with some instances. */
export function drawFleet(random: Random, name: string, copies: number): Workload {
  const isTemplate = copies > 1 && chance(random, 0.6);
  const isGlobal = !isTemplate && chance(random, 0.15);
  const isExclusive = !isTemplate && !isGlobal && chance(random, 0.25);
  const options = [...drawService(random), ...drawPlacement(random, name, isGlobal), ...(isExclusive ? EXCLUSIVE : [])];
  const units = isTemplate ? instancesOf(name, copies) : [`${name}.service`];
  const template = isTemplate ? [unitPut(`${name}@.service`, "inactive", options)] : [];
  return {
    dialect: "fleet",
    name: units[0] ?? name,
    isExclusive,
    create: [...template, ...units.map((unit) => unitPut(unit, "launched", options))],
    update: (nth) => unitPut(units[0] ?? "", "launched", withVersion(options, nth)),
    more: units.flatMap((unit) => [unitPut(unit, "loaded"), unitPut(unit, "launched")]),
    remove: [...units, ...template.map(() => `${name}@.service`)].map(unitDelete),
  };
}

export function unitPut(unit: string, desiredState: string, options: readonly Option[] = []): SimRequest {
  return { method: "PUT", path: `/fleet/v1/units/${unit}`, body: { desiredState, options } };
}

function unitDelete(unit: string): SimRequest {
  return { method: "DELETE", path: `/fleet/v1/units/${unit}` };
}

function instancesOf(name: string, copies: number): readonly string[] {
  return Array.from({ length: copies }, (_, i) => `${name}@${i + 1}.service`);
}

const EXCLUSIVE: readonly Option[] = [{ section: "X-Styrmann", name: "Exclusive", value: "true" }];

function drawService(random: Random): readonly Option[] {
  const image = weighted(random, PROGRAMS);
  const start = chance(random, 0.5) ? `/usr/bin/docker run --rm --name %p ${image}` : `/usr/bin/${image}`;
  return [
    { section: "Unit", name: "Description", value: "Drawn" },
    { section: "Service", name: "ExecStart", value: start },
    { section: "Service", name: "TimeoutStopSec", value: "5" },
    ...(chance(random, 0.5) ? [{ section: "Service", name: "Restart", value: "always" }] : []),
    ...(chance(random, 0.3) ? [{ section: "Service", name: "MemoryLimit", value: "64M" }] : []),
  ];
}

/** Of units the version is an environment variable: any other text is a new unit. */
function withVersion(options: readonly Option[], nth: number): readonly Option[] {
  return [...options, { section: "Service", name: "Environment", value: `VERSION=v${nth}` }];
}

function drawPlacement(random: Random, name: string, isGlobal: boolean): readonly Option[] {
  const rule = (key: string, value: string) => [{ section: "X-Fleet", name: key, value }];
  if (isGlobal) return rule("Global", "true");
  return weighted<readonly Option[]>(random, [
    [60, []],
    [20, rule("Conflicts", `${name}@*.service`)],
    [15, rule("MachineMetadata", "topology.kubernetes.io/zone=zone-a")],
  ]);
}
