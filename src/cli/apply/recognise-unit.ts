import { parseUnitFile, UnitFileError } from "../../model/unit/parse-unit-file.ts";
import { readService } from "../../model/unit/read-service.ts";
import { InputError, type InputFile, type Item } from "./item.ts";

/** systemd's unit types, of which fleet takes all. */
export const UNIT_SUFFIX =
  /\.(automount|busname|device|mount|path|scope|service|slice|snapshot|socket|swap|target|timer)$/;

const FIRST_LINE_OF_A_UNIT = /^\s*\[[A-Za-z][A-Za-z0-9 _-]*\]\s*$/;

/** A suffix of systemd's, or a first line that is a section. (A JSON array may begin with `[` too, but not so.) */
export function looksLikeUnit({ baseName, text }: InputFile): boolean {
  if (baseName !== undefined && UNIT_SUFFIX.test(baseName)) return true;
  if (baseName !== undefined && /\.(json|ya?ml)$/i.test(baseName)) return false;
  const first = /^(?:[ \t]*(?:[#;].*)?\r?\n)*(.*)/.exec(text)?.[1] ?? "";
  return FIRST_LINE_OF_A_UNIT.test(first);
}

/** A unit, refused here when systemd would not load it: once it is submitted, nobody looks at the file again. */
export function recogniseUnit({ shown, baseName, text }: InputFile, givenName?: string): Item {
  const place = { file: shown };
  const name = givenName ?? unitName(baseName, shown);
  const { options, lines } = parse(text, shown);
  if (options.length === 0) throw new InputError(place, "it has no sections with options, so it is no unit file");
  const { diagnostics } = readService(options, name, { lines });
  // Diagnostics begin with the unit's name; people look for the file.
  const shownAs = (message: string) => (message.startsWith(`${name}:`) ? shown + message.slice(name.length) : message);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new UnitRefusal(errors.map(({ message }) => shownAs(message)));
  return {
    place,
    dialect: "fleet",
    name,
    options,
    lines,
    warnings: [...strayLines(text, shown), ...diagnostics.map(({ message }) => shownAs(message))],
  };
}

/** What stands before the first section is ignored, by systemd with a word and by fleet without one. */
function strayLines(text: string, shown: string): readonly string[] {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.startsWith("["));
  return lines.slice(0, Math.max(0, first)).flatMap((line, at) => {
    const words = line.trim();
    if (words === "" || words.startsWith("#") || words.startsWith(";")) return [];
    return [`${shown}:${at + 1}: "${words.slice(0, 40)}" stands before the first section and is ignored`];
  });
}

function unitName(baseName: string | undefined, shown: string): string {
  if (baseName === undefined) {
    throw new InputError({ file: shown }, "a unit from standard input needs a name: --name hello.service");
  }
  // As fleetctl does.
  return UNIT_SUFFIX.test(baseName) ? baseName : `${baseName}.service`;
}

function parse(text: string, shown: string) {
  try {
    return parseUnitFile(text);
  } catch (error) {
    if (error instanceof UnitFileError) throw new InputError({ file: shown, line: error.line }, error.message);
    throw error;
  }
}

/** One line per error, each with its place. */
class UnitRefusal extends Error {
  override readonly name = "InputError";

  constructor(lines: readonly string[]) {
    super(lines.join("\n"));
  }
}
