/** The [X-Styrmann] section: what becomes of a unit when its machine is lost. systemd and fleet ignore sections that begin with X-. */
import type { UnitOption } from "../../model/pod.ts";
import { parseUnreachableRule, type UnreachableRule } from "../../model/when-unreachable.ts";
import { readRequirements } from "./requirements.ts";

export interface Care {
  readonly exclusive: boolean;
  readonly whenUnreachable?: UnreachableRule;
}

const SECTION = "X-Styrmann";
export const CARE_KEYS: readonly string[] = ["Exclusive", "WhenUnreachable"];
const TRUE = /^(?:true|yes|1|on|t)$/i;
const FALSE = /^(?:false|no|0|off|f)$/i;

/** Values that mean nothing are refused before they get here (careProblem). */
export function readCare(options: readonly UnitOption[]): Care {
  const rule = parseUnreachableRule(lastValue(options, "WhenUnreachable") ?? "");
  return {
    exclusive: TRUE.test(lastValue(options, "Exclusive") ?? ""),
    ...(rule === undefined ? {} : { whenUnreachable: rule }),
  };
}

/** As in systemd, the last line counts, and an empty one takes back what came before. */
function lastValue(options: readonly UnitOption[], key: string): string | undefined {
  const value = options.findLast(({ section, name }) => section === SECTION && name === key)?.value.trim();
  return value === "" ? undefined : value;
}

/** Why the section cannot be followed; who asks for something to run once at most has to be sure that it was understood. */
export function careProblem(options: readonly UnitOption[]): string | undefined {
  const exclusive = lastValue(options, "Exclusive");
  if (exclusive !== undefined && !TRUE.test(exclusive) && !FALSE.test(exclusive))
    return `[X-Styrmann] Exclusive=${exclusive}: expected true or false`;
  const rule = lastValue(options, "WhenUnreachable");
  if (rule !== undefined && parseUnreachableRule(rule) === undefined)
    return `[X-Styrmann] WhenUnreachable=${rule}: expected keep, replace, or a duration such as 5m`;
  const { isGlobal } = readRequirements(options, undefined);
  return isGlobal && readCare(options).exclusive ? "Exclusive cannot be used with Global" : undefined;
}

/** Keys of the section that mean nothing, with their options' positions. */
export function unknownCare(options: readonly UnitOption[]): readonly { readonly at: number; readonly key: string }[] {
  return options.flatMap(({ section, name }, at) =>
    section === SECTION && !CARE_KEYS.includes(name) ? [{ at, key: name }] : [],
  );
}
