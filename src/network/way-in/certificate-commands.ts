/** From one list of certificates (HAProxy's crt-list: a file and the host that it is for, the first for all others) to the next. Pure. */
export interface CertificateSteps {
  /** Lines. */
  readonly come: readonly string[];
  readonly gone: readonly string[];
  /** Files that it has not read. */
  readonly files: readonly string[];
  /** Files that no line names any more. */
  readonly left: readonly string[];
}

export function parseList(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

export function certificateSteps(before: readonly string[], after: readonly string[]): CertificateSteps {
  const [old, wanted] = [new Set(before), new Set(after)];
  const [had, has] = [filesOf(before), filesOf(after)];
  return {
    come: after.filter((line) => !old.has(line)),
    gone: before.filter((line) => !wanted.has(line)),
    files: [...has].filter((file) => !had.has(file)),
    left: [...had].filter((file) => !has.has(file)),
  };
}

function filesOf(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.map((line) => line.split(" ")[0] ?? ""));
}
