import { ApiError } from "../../model/errors.ts";

const TYPES = "automount busname device mount path scope service slice snapshot socket swap target timer".split(" ");
const TEMPLATE_TYPES = ["path", "service", "socket", "target", "timer"];
const LONGEST_NAME = 256;

/** fleet's name rules, the first that fails wins, in its words (specs: fleet/api/units.go ValidateName). */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "unit name cannot be empty";
  if (name.length > LONGEST_NAME) return `unit name exceeds maximum length (${LONGEST_NAME})`;
  const dot = name.lastIndexOf(".");
  if (dot < 0) return 'unit name must contain "."';
  if (name.endsWith(".")) return 'unit name cannot end in "."';
  const type = name.slice(dot + 1);
  if (!TYPES.includes(type)) return `invalid unit type: ${JSON.stringify(type)}`;
  if (name.includes("@") && !TEMPLATE_TYPES.includes(type))
    return `invalid unit type for template: ${JSON.stringify(type)}`;
  const odd = [...name].find((character) => !/[0-9A-Za-z:\-_.\\@]/.test(character));
  if (odd !== undefined) return `invalid character '${odd}' in unit name`;
  if (name.startsWith("@")) return 'unit name cannot start in "@"';
  return undefined;
}

export function checkName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new ApiError("BadRequest", problem);
}
