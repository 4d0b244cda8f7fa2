/**
 * Go's path.Match, with which fleet compares unit names: `*` and `?` stop at "/", `[a-z]`, `[^a]`, `\` escapes. A malformed
 * pattern matches nothing. Takes time in proportion to the product of both lengths at worst.
 */
export function globMatches(glob: string, text: string): boolean {
  const pattern = parseGlob(glob);
  return pattern !== undefined && matches(pattern, [...text]);
}

type Part = "star" | ((character: string) => boolean);

/** Goes back to the last `*` only: what an earlier one took cannot help a later one. */
function matches(pattern: readonly Part[], text: readonly string[]): boolean {
  let at = 0;
  let part = 0;
  let star: { readonly part: number; at: number } | undefined;
  while (at < text.length) {
    const expected = pattern[part];
    const character = text[at] as string;
    if (expected === "star") star = { part: part++, at };
    else if (expected?.(character)) {
      part++;
      at++;
    } else {
      if (!star || text[star.at] === "/") return false;
      at = ++star.at;
      part = star.part + 1;
    }
  }
  return pattern.slice(part).every((rest) => rest === "star");
}

/** Undefined when it is malformed. */
function parseGlob(glob: string): readonly Part[] | undefined {
  const characters = [...glob];
  const parts: Part[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === "*") parts.push("star");
    else if (character === "?") parts.push((other) => other !== "/");
    else if (character === "[") {
      const range = parseClass(characters, at + 1);
      if (!range) return undefined;
      parts.push(range.part);
      at = range.end;
    } else {
      const literal = character === "\\" ? characters[++at] : character;
      if (literal === undefined) return undefined;
      parts.push((other) => other === literal);
    }
  }
  return parts;
}

/** From after the `[`; `end` is where its `]` stands. `]` and `-` need a `\` before them to be members. */
function parseClass(
  characters: readonly string[],
  from: number,
): { readonly part: Part; readonly end: number } | undefined {
  const isNegated = characters[from] === "^";
  const ranges: (readonly [low: string, high: string])[] = [];
  let at = isNegated ? from + 1 : from;
  const next = (): string | undefined => {
    if (characters[at] === "-" || characters[at] === "]") return undefined;
    if (characters[at] === "\\") at++;
    return characters[at++];
  };
  while (characters[at] !== "]" || ranges.length === 0) {
    const low = next();
    if (low === undefined) return undefined;
    let high: string | undefined = low;
    if (characters[at] === "-") {
      at++;
      high = next();
    }
    if (high === undefined) return undefined;
    ranges.push([low, high]);
  }
  const isMember = (other: string) => ranges.some(([low, high]) => low <= other && other <= high);
  return { part: (other) => isMember(other) !== isNegated, end: at };
}
