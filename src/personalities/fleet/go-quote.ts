/** Go's `%q`, in which fleet puts what it complains about. Source: strconv.Quote. */
const SHORT: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

export function quote(text: string): string {
  return `"${[...text].map((rune) => escapeRune(rune, '"')).join("")}"`;
}

/** One character, in single quotes. */
export function quoteRune(rune: string): string {
  return `'${escapeRune(rune, "'")}'`;
}

function escapeRune(rune: string, mark: string): string {
  if (rune === mark) return `\\${rune}`;
  const short = SHORT[rune];
  if (short !== undefined) return short;
  if (PRINTABLE.test(rune)) return rune;
  const code = rune.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  // Half a surrogate pair is no character; Go reads it as the replacement character.
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
