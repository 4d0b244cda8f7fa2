/** The [X-Fleet] section: what a unit asks of the place where it runs. */
import type { UnitOption } from "../../model/pod.ts";
import { splitMultiValue } from "../../model/unit/multi-value.ts";
import { parseUnitName } from "../../model/unit/unit-name.ts";

export interface Requirements {
  readonly machineId: string | undefined;
  /** Units that must be on the same machine, by their exact names. */
  readonly peers: readonly string[];
  /** key → any of these values. */
  readonly metadata: ReadonlyMap<string, readonly string[]>;
  readonly conflicts: readonly string[];
  readonly replaces: readonly string[];
  readonly isGlobal: boolean;
}

const SECTION = "X-Fleet";
/** Modern name first: it wins over the legacy ones where only one value counts. */
const MACHINE_ID = ["MachineID", "X-ConditionMachineID", "X-ConditionMachineBootID"];
const MACHINE_OF = ["MachineOf", "X-ConditionMachineOf"];
const METADATA = ["MachineMetadata", "X-ConditionMachineMetadata"];
const CONFLICTS = ["Conflicts", "X-Conflicts"];
const KNOWN = [...MACHINE_ID, ...MACHINE_OF, ...METADATA, ...CONFLICTS, "Global", "Replaces"];
const TRUE = /^(?:true|yes|1|on|t)$/i;

/** Reads the section; `name` undefined leaves specifiers as they are, as fleet's validation does. */
export function readRequirements(options: readonly UnitOption[], name: string | undefined): Requirements {
  const expand = name === undefined ? (text: string) => text : specifiersOf(name);
  const values = (keys: readonly string[]) =>
    keys.flatMap((key) =>
      options
        .filter((option) => option.section === SECTION && option.name === key)
        .flatMap((option) => splitMultiValue(option.value).map(expand)),
    );
  return {
    machineId: values(MACHINE_ID)[0],
    peers: values(MACHINE_OF),
    metadata: pairs(values(METADATA)),
    conflicts: values(CONFLICTS).flatMap((value) => value.split(/\s+/).filter((word) => word !== "")),
    replaces: values(["Replaces"]),
    isGlobal: TRUE.test(values(["Global"]).at(-1) ?? ""),
  };
}

/** Keys of the section that mean nothing to fleet, with their options' positions. */
export function unknownRequirements(
  options: readonly UnitOption[],
): readonly { readonly at: number; readonly key: string }[] {
  return options.flatMap(({ section, name }, at) =>
    section === SECTION && !KNOWN.includes(name) ? [{ at, key: name }] : [],
  );
}

export const REQUIREMENT_KEYS: readonly string[] = KNOWN.filter((key) => !key.startsWith("X-"));

/** fleet replaces one after the other, without an escape for "%". */
function specifiersOf(name: string): (text: string) => string {
  const { prefix, instance } = parseUnitName(name);
  const bare = name.slice(0, name.lastIndexOf("."));
  return (text) =>
    text
      .replaceAll("%n", name)
      .replaceAll("%N", bare)
      .replaceAll("%p", prefix)
      .replaceAll("%i", instance ?? "");
}

/** `k=v` with exactly one "="; anything else fleet ignores without a word. */
function pairs(values: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const value of values) {
    const [key = "", wanted = "", ...more] = value.split("=");
    if (key === "" || wanted === "" || more.length > 0) continue;
    found.set(key, [...(found.get(key) ?? []), wanted]);
  }
  return found;
}
