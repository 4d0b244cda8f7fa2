import { ApiError } from "../../model/errors.ts";
import { quote, quoteRune } from "./go-quote.ts";

const TYPES = "automount busname device mount path scope service slice snapshot socket swap target timer".split(" ");
const TEMPLATE_TYPES = ["path", "service", "socket", "target", "timer"];
const LONGEST_NAME_BYTES = 256;

/** fleet's name rules, the first that fails wins, in its words. Source: fleet api/units.go ValidateName. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "unit name cannot be empty";
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) return `unit name exceeds maximum length (${LONGEST_NAME_BYTES})`;
  const dot = name.lastIndexOf(".");
  if (dot < 0) return 'unit name must contain "."';
  if (name.endsWith(".")) return 'unit name cannot end in "."';
  const type = name.slice(dot + 1);
  if (!TYPES.includes(type)) return `invalid unit type: ${quote(type)}`;
  if (name.includes("@") && !TEMPLATE_TYPES.includes(type)) return `invalid unit type for template: ${quote(type)}`;
  const odd = [...name].find((character) => !/[0-9A-Za-z:\-_.\\@]/.test(character));
  if (odd !== undefined) return `invalid character ${quoteRune(odd)} in unit name`;
  if (name.startsWith("@")) return 'unit name cannot start in "@"';
  return undefined;
}

export function checkName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new ApiError("BadRequest", problem);
}
