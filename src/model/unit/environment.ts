import { splitWords } from "./words.ts";

export type Assignment = readonly [name: string, value: string];

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function isVariableName(text: string): boolean {
  return NAME.test(text);
}

/** One Environment= value: quoted assignments. Wrong ones are left out and told, as systemd does. */
export function parseAssignments(
  value: string,
  expand: (text: string) => string = (text) => text,
): { readonly assignments: readonly Assignment[]; readonly problems: readonly string[] } {
  const { words, problems } = splitWords(value, { unescape: true, relaxed: false });
  const said = problems.map(({ kind, text }) =>
    kind === "unknown-escape"
      ? `"${text}" is no escape sequence and stays as it is`
      : "a quote is opened and never closed; the rest of the line is ignored",
  );
  const assignments: Assignment[] = [];
  for (const word of words) {
    const assignment = readAssignment(expand(word));
    if (assignment) assignments.push(assignment);
    else said.push(`"${word}" is not NAME=VALUE and is ignored`);
  }
  return { assignments, problems: said };
}

function readAssignment(word: string): Assignment | undefined {
  const equals = word.indexOf("=");
  const name = word.slice(0, equals);
  const value = word.slice(equals + 1);
  const isValid = equals > 0 && NAME.test(name) && !/[\x00-\x08\x0b-\x1f\x7f]/.test(value);
  return isValid ? [name, value] : undefined;
}

/**
 * A file of EnvironmentFile=. Lines `NAME=VALUE`; `#` and `;` begin comments; in double quotes a backslash protects
 * `" \ $` and the backtick and joins lines, outside of quotes it protects anything, in single quotes nothing is special; other
 * lines are ignored. Source: systemd src/basic/env-file.c parse_env_file_internal().
 */
export function parseEnvironmentFile(text: string): readonly Assignment[] {
  const assignments: Assignment[] = [];
  let at = 0;
  while (at < text.length) {
    at = skip(text, at, /[ \t\r\n]/);
    if (at >= text.length) break;
    if (text[at] === "#" || text[at] === ";") {
      at = endOfComment(text, at);
      continue;
    }
    const end = lineEnd(text, at);
    const equals = text.indexOf("=", at);
    if (equals === -1 || equals > end) {
      at = end;
      continue;
    }
    const name = text.slice(at, equals).trimEnd();
    const { value, rest } = readValue(text, equals + 1);
    if (NAME.test(name)) assignments.push([name, value]);
    at = rest;
  }
  return assignments;
}

function readValue(text: string, from: number): { readonly value: string; readonly rest: number } {
  let value = "";
  /** Blanks after this length are dropped unless something follows them. */
  let kept = 0;
  /** Quotes are special only where a value begins, or goes on after a closed quote. */
  let isFresh = true;
  let at = skip(text, from, /[ \t\r]/);
  while (at < text.length && text[at] !== "\n" && text[at] !== "\r") {
    const character = text[at] ?? "";
    if (isFresh && (character === "'" || character === '"')) {
      const quoted = readQuoted(text, at + 1, character);
      value += quoted.text;
      kept = value.length;
      at = skip(text, quoted.rest, /[ \t]/);
      continue;
    }
    isFresh = false;
    const isEscaped = character === "\\";
    const taken = isEscaped ? (text[at + 1] ?? "") : character;
    if (!(isEscaped && taken === "\n")) value += taken;
    if (isEscaped || !/[ \t]/.test(taken)) kept = value.length;
    at += isEscaped ? 2 : 1;
  }
  return { value: value.slice(0, kept), rest: Math.min(at, text.length) };
}

function readQuoted(text: string, from: number, quote: string): { readonly text: string; readonly rest: number } {
  let value = "";
  let at = from;
  for (; at < text.length && text[at] !== quote; at++) {
    if (quote === '"' && text[at] === "\\" && at + 1 < text.length) {
      const next = text[++at] ?? "";
      if ('"\\`$'.includes(next)) value += next;
      else if (next !== "\n") value += `\\${next}`;
    } else value += text[at];
  }
  return { text: value, rest: at + 1 };
}

function skip(text: string, from: number, what: RegExp): number {
  let at = from;
  while (at < text.length && what.test(text[at] ?? "")) at++;
  return at;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

/** A comment whose line ends in a backslash goes on. */
function endOfComment(text: string, from: number): number {
  let end = lineEnd(text, from);
  while (end < text.length && text[end - 1] === "\\") end = lineEnd(text, end + 1);
  return end;
}
