import type { UnitOption } from "../../model/pod.ts";
import { readService } from "../../model/unit/read-service.ts";
import { serializedLines } from "../../model/unit/serialize-unit.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import { suggest } from "../../model/unit/suggest.ts";
import { CARE_KEYS, unknownCare } from "./care.ts";
import { REQUIREMENT_KEYS, unknownRequirements } from "./requirements.ts";
import type { UnitBody } from "./unit-body.ts";

export interface UnitRemarks {
  /** Things that are ignored or not done; the unit runs all the same. */
  readonly warnings: readonly string[];
  /** Why systemd would not load it. */
  readonly errors: readonly string[];
}

/** What a person should know about a unit before they wonder. `isKept`: whether there is a unit of that name. */
export function remarksOn(
  { name, options, lines }: Pick<UnitBody, "name" | "options" | "lines">,
  isKept: (name: string) => boolean,
): UnitRemarks {
  // A body that only sets the desired state says nothing about the file.
  if (options.length === 0) return { warnings: [], errors: [] };
  const { service, diagnostics } = readService(options, name, lines === undefined ? {} : { lines });
  const at = lines ?? serializedLines(options);
  const ignored = (section: string, known: readonly string[], { at: index, key }: { at: number; key: string }) => {
    const better = suggest(key, known);
    const hint = better === undefined ? "" : `; did you mean "${better}"?`;
    return `${name}:${at[index] ?? 0}: unknown key "${key}" in [${section}] is ignored${hint}`;
  };
  const unknown = [
    ...unknownRequirements(options).map((found) => ignored("X-Fleet", REQUIREMENT_KEYS, found)),
    ...unknownCare(options).map((found) => ignored("X-Styrmann", CARE_KEYS, found)),
  ];
  const of = (severity: string) =>
    diagnostics.filter((diagnostic) => diagnostic.severity === severity).map(({ message }) => message);
  const absent = absentWords(service, isKept);
  const where = at[options.findIndex(isRequirement)] ?? 0;
  const absence = absent === undefined ? [] : [`${name}:${where}: ${absent}`];
  return { warnings: [...of("warning"), ...unknown, ...absence], errors: of("error") };
}

const REQUIREMENTS = ["Requires", "Requisite", "BindsTo"];

function isRequirement({ section, name }: UnitOption): boolean {
  return section === "Unit" && REQUIREMENTS.includes(name);
}

/** systemd refuses to start a unit whose requirement is not there. Here hosts manage docker.service and the like otherwise. */
function absentWords({ relations }: ServiceSettings, isKept: (name: string) => boolean): string | undefined {
  const { requires, requisite, bindsTo } = relations;
  const absent = [...new Set([...requires, ...requisite, ...bindsTo])].filter((name) => !isKept(name));
  if (absent.length === 0) return undefined;
  const [it, is] = absent.length === 1 ? ["unit", "is"] : ["units", "are"];
  return `it requires ${absent.join(", ")}: no such ${it} ${is} kept here at present, so this has no effect and the unit starts all the same`;
}
