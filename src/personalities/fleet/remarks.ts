import { readService } from "../../model/unit/read-service.ts";
import { serializedLines } from "../../model/unit/serialize-unit.ts";
import { suggest } from "../../model/unit/suggest.ts";
import { REQUIREMENT_KEYS, unknownRequirements } from "./requirements.ts";
import type { UnitBody } from "./unit-body.ts";

export interface UnitRemarks {
  /** Things that are ignored or not done; the unit runs all the same. */
  readonly warnings: readonly string[];
  /** Why systemd would not load it. */
  readonly errors: readonly string[];
}

/** What a person should know about a unit before they wonder. */
export function remarksOn({ name, options, lines }: Pick<UnitBody, "name" | "options" | "lines">): UnitRemarks {
  // A body that only sets the desired state says nothing about the file.
  if (options.length === 0) return { warnings: [], errors: [] };
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
