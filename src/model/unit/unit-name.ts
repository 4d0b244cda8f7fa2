/** The parts of a unit's name that specifiers speak of. `hello@eu-1.service`: prefix `hello`, instance `eu-1`, suffix `service`. */
export interface UnitName {
  readonly full: string;
  readonly prefix: string;
  /** Absent without `@`; empty for a template. */
  readonly instance?: string;
  readonly suffix: string;
}

/** Everything between the first `@` and the last `.` is the instance. */
export function parseUnitName(full: string): UnitName {
  const dot = full.lastIndexOf(".");
  const stem = dot === -1 ? full : full.slice(0, dot);
  const suffix = dot === -1 ? "" : full.slice(dot + 1);
  const at = stem.indexOf("@");
  return at === -1
    ? { full, prefix: stem, suffix }
    : { full, prefix: stem.slice(0, at), instance: stem.slice(at + 1), suffix };
}

export function isTemplate(full: string): boolean {
  return parseUnitName(full).instance === "";
}

/** systemd's unit_name_unescape: `-` is `/`, `\x2d` is the character of that code; what it cannot read stays as it is. */
export function unescapeUnitName(text: string): string {
  const bytes: number[] = [];
  const source = Buffer.from(text);
  for (let at = 0; at < source.length; at++) {
    const code = /^\\x([0-9a-fA-F]{2})$/.exec(source.toString("latin1", at, at + 4));
    if (code) {
      bytes.push(Number.parseInt(code[1] ?? "", 16));
      at += 3;
    } else bytes.push(source[at] === 0x2d ? 0x2f : (source[at] ?? 0));
  }
  return Buffer.from(bytes).toString("utf8");
}
