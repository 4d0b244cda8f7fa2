import { RE2JS } from "re2js";
import type { LabelRequirement, LabelSelector } from "../model/constraint.ts";

export type Labels = Readonly<Record<string, string>>;

/** Kubernetes' requirement semantics: NotIn and DoesNotExist hold where the label is absent; Gt and Lt compare whole numbers. */
export function meetsRequirement(value: string | undefined, { operator, values = [] }: LabelRequirement): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return compares(value, values[0], (a, b) => a > b);
    case "Lt":
      return compares(value, values[0], (a, b) => a < b);
    default:
      return false;
  }
}

function compares(value: string | undefined, than: string | undefined, holds: (a: number, b: number) => boolean) {
  const a = wholeNumber(value);
  const b = wholeNumber(than);
  return a !== undefined && b !== undefined && holds(a, b);
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

/** An empty selector selects everything. */
export function selectsLabels({ matchLabels, matchExpressions }: LabelSelector, labels: Labels): boolean {
  if (matchLabels) for (const key in matchLabels) if (labels[key] !== matchLabels[key]) return false;
  return matchExpressions?.every((requirement) => meetsRequirement(labels[requirement.key], requirement)) ?? true;
}

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
