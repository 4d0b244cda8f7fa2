/** systemd's extract_first_word(): whitespace separates, quotes anywhere in a word, C escapes. Source: src/basic/extract-word.c. */

export interface WordsProblem {
  readonly kind: "unbalanced-quote" | "trailing-backslash" | "unknown-escape";
  readonly text: string;
}

export interface Word {
  readonly text: string;
  /** Where in the source it begins and where the rest begins, separators skipped. */
  readonly start: number;
  readonly rest: number;
  readonly problem?: WordsProblem;
}

export interface WordRules {
  /** C escapes are read; else a backslash is an ordinary character that protects the next one. */
  readonly unescape: boolean;
  /** Unbalanced quotes end with the text. */
  readonly relaxed: boolean;
}

const WHITESPACE = " \t\n\r";

/** The next word at or after `from`; undefined when only separators are left. Unknown escapes stay as written, and are told. */
export function extractWord(source: string, from: number, rules: WordRules): Word | undefined {
  const start = skipSpace(source, from);
  if (start >= source.length) return undefined;
  let text = "";
  let quote: string | undefined;
  let problem: WordsProblem | undefined;
  let at = start;
  for (; at < source.length; at++) {
    const character = source[at] ?? "";
    if (character === "\\") {
      const escaped = readEscape(source, at, rules);
      text += escaped.text;
      problem ??= escaped.problem;
      at = escaped.rest - 1;
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else text += character;
    } else if (character === "'" || character === '"') quote = character;
    else if (WHITESPACE.includes(character)) break;
    else text += character;
  }
  if (quote !== undefined && !rules.relaxed) problem = { kind: "unbalanced-quote", text: source.slice(start) };
  return { text, start, rest: skipSpace(source, at), ...(problem === undefined ? {} : { problem }) };
}

/** Every word; the first problem ends the list when it is fatal. */
export function splitWords(
  source: string,
  rules: WordRules,
): { readonly words: readonly string[]; readonly problems: readonly WordsProblem[] } {
  const words: string[] = [];
  const problems: WordsProblem[] = [];
  for (let at = 0; ; ) {
    const word = extractWord(source, at, rules);
    if (!word) return { words, problems };
    if (word.problem) problems.push(word.problem);
    if (word.problem && isFatal(word.problem)) return { words, problems };
    words.push(word.text);
    at = word.rest;
  }
}

/** systemd gives the line up for these; unknown escapes it keeps as they are. */
export function isFatal(problem: WordsProblem): boolean {
  return problem.kind !== "unknown-escape";
}

export function skipSpace(source: string, from: number): number {
  let at = from;
  while (at < source.length && WHITESPACE.includes(source[at] ?? "")) at++;
  return at;
}

interface Escape {
  readonly text: string;
  readonly rest: number;
  readonly problem?: WordsProblem;
}

function readEscape(source: string, at: number, rules: WordRules): Escape {
  if (at + 1 >= source.length)
    return rules.relaxed
      ? { text: "\\", rest: at + 1 }
      : { text: "", rest: at + 1, problem: { kind: "trailing-backslash", text: source } };
  const next = source[at + 1] ?? "";
  if (!rules.unescape) return { text: next, rest: at + 2 };
  const known = cEscape(source, at);
  if (known) return known;
  return { text: `\\${next}`, rest: at + 2, problem: { kind: "unknown-escape", text: `\\${next}` } };
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
  s: " ",
};

/** systemd's cunescape_one(). No NUL, no code point past Unicode's end. */
function cEscape(source: string, at: number): Escape | undefined {
  const simple = SIMPLE[source[at + 1] ?? ""];
  if (simple !== undefined) return { text: simple, rest: at + 2 };
  const coded = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/.exec(
    source.slice(at, at + 10),
  );
  if (!coded) return undefined;
  const [all, byte, short, long, octal] = coded;
  const code = octal === undefined ? Number.parseInt(byte ?? short ?? long ?? "0", 16) : Number.parseInt(octal, 8);
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  if (code === 0 || code > 0x10ffff || isSurrogate) return undefined;
  return { text: String.fromCodePoint(code), rest: at + all.length };
}
