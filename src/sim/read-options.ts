/** Reads the options of the simulator's commands; what cannot be read is said in one sentence. */
import { parseArgs } from "node:util";

export interface OptionRow {
  /** With the dashes. */
  readonly name: string;
  /** What its value is called; absent: it has none. */
  readonly value?: string;
  readonly about: string;
}

export const HELP: OptionRow = { name: "--help", about: "these lines" };

/** Options by name; one without a value has "". Throws with one sentence when it cannot be read. */
export function readOptions(args: readonly string[], rows: readonly OptionRow[]): ReadonlyMap<string, string> {
  const options = Object.fromEntries(
    rows.map(({ name, value }) => [name.slice(2), { type: value === undefined ? "boolean" : "string" } as const]),
  );
  // Not strict: Node's own sentences speak to who wrote the program.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const found = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === "positional") throw new Error(`"${token.value}" is not an option`);
    if (token.kind === "option") found.set(...given(token, rows));
  }
  return found;
}

function given({ rawName, value }: { rawName: string; value?: string | undefined }, rows: readonly OptionRow[]) {
  const row = rawName === "-h" ? HELP : rows.find(({ name }) => name === rawName);
  if (!row) throw new Error(`there is no option ${rawName}`);
  if (row.value === undefined && value !== undefined) throw new Error(`${row.name} takes no value`);
  if (row.value !== undefined && (value === undefined || value === "" || value.startsWith("--")))
    throw new Error(`${row.name} needs a value: ${row.name} ${row.value}`);
  return [row.name, value ?? ""] as const;
}

/** A whole number of `least` or more. */
export function whole(name: string, text: string, least = 0): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && Number.isSafeInteger(value)) return value;
  throw new Error(`${name} takes a whole number${least === 0 ? "" : ` above ${least - 1}`}, not "${text}"`);
}

/** What `--help` prints: a line per option. */
export function usageLines(command: string, about: string, rows: readonly OptionRow[]): readonly string[] {
  const heads = rows.map(({ name, value }) => (value === undefined ? name : `${name} ${value}`));
  const width = Math.max(...heads.map(({ length }) => length)) + 2;
  return [`${command} -- [options]`, about, "", ...rows.map((row, at) => `  ${heads[at]?.padEnd(width)}${row.about}`)];
}
