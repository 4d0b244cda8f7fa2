import { RE2JS } from "re2js";

/** A whole-value match in RE2 syntax, in linear time. A pattern that does not compile matches nothing. */
export function compilePattern(pattern: string): (text: string) => boolean {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matches(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return () => false;
  }
}

/** Go's path.Match, as fleet's Conflicts use it: `*` and `?` stop at `/`. A malformed glob matches nothing. */
export function compileGlob(glob: string): (text: string) => boolean {
  const pattern = globPattern(glob);
  return pattern === undefined ? () => false : compilePattern(pattern);
}

function globPattern(glob: string): string | undefined {
  let pattern = "(?s)";
  for (let at = 0; at < glob.length; at++) {
    const character = glob[at] as string;
    if (character === "*") pattern += "[^/]*";
    else if (character === "?") pattern += "[^/]";
    else if (character === "[") {
      const range = globClass(glob, at);
      if (!range) return undefined;
      pattern += range.pattern;
      at = range.end;
    } else if (character === "\\") {
      at++;
      if (at >= glob.length) return undefined;
      pattern += RE2JS.quote(glob[at] as string);
    } else pattern += RE2JS.quote(character);
  }
  return pattern;
}

/** `[a-c^x]`, `[^…]`, `\` escapes one character; `]` first is malformed, as in Go. */
function globClass(glob: string, start: number): { readonly pattern: string; readonly end: number } | undefined {
  let at = start + 1;
  const negated = glob[at] === "^";
  if (negated) at++;
  let members = "";
  const one = (): string | undefined => {
    if (glob[at] === "\\") at++;
    const character = glob[at++];
    return character === undefined || character === "" ? undefined : character;
  };
  while (glob[at] !== "]") {
    if (glob[at] === "-") return undefined;
    const low = one();
    if (low === undefined) return undefined;
    let high = low;
    if (glob[at] === "-") {
      at++;
      if (glob[at] === "]") return undefined;
      const end = one();
      if (end === undefined) return undefined;
      high = end;
    }
    // Go takes an upside-down range and matches nothing with it.
    if (low <= high) members += `${inClass(low)}-${inClass(high)}`;
  }
  if (at === start + 1 + (negated ? 1 : 0)) return undefined;
  if (members === "") return { pattern: negated ? "[^/]" : "[^\\x{0}-\\x{10FFFF}]", end: at };
  return { pattern: negated ? `[^/${members}]` : `[${members}]`, end: at };
}

function inClass(character: string): string {
  return `\\x{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
