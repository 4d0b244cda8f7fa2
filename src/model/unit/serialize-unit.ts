import { createHash } from "node:crypto";
import type { UnitOption } from "../pod.ts";

/** fleet's canonical text: sections in first-seen order, one blank line between them, comments gone. */
export function serializeUnit(options: readonly UnitOption[]): string {
  return sections(options)
    .map(([section, members]) => `[${section}]\n${members.map(({ name, value }) => `${name}=${value}\n`).join("")}`)
    .join("\n");
}

/** SHA-1 of the canonical text, 40 lowercase hexadecimal digits: what fleetctl compares and shows. */
export function unitHash(options: readonly UnitOption[]): string {
  return createHash("sha1").update(serializeUnit(options)).digest("hex");
}

/** On which line (from 1) of the canonical text each option stands, in the order given. */
export function serializedLines(options: readonly UnitOption[]): readonly number[] {
  const lines = new Map<UnitOption, number[]>();
  let line = 1;
  for (const [, members] of sections(options)) {
    line++;
    for (const option of members) {
      lines.set(option, [...(lines.get(option) ?? []), line]);
      line += option.value.split("\n").length;
    }
    line++;
  }
  // One object may stand in the list several times.
  return options.map((option) => lines.get(option)?.shift() ?? 0);
}

function sections(options: readonly UnitOption[]): readonly (readonly [string, readonly UnitOption[]])[] {
  return [...Map.groupBy(options, ({ section }) => section)];
}
