/** Go's unicode.IsSpace: not JavaScript's `\s`, which also takes the byte order mark and leaves out U+0085. */
const SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

export function isGoSpace(character: string): boolean {
  return SPACE.test(character);
}

/** Go's strings.TrimSpace. */
export function goTrim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isGoSpace(text[from] ?? "")) from++;
  while (to > from && isGoSpace(text[to - 1] ?? "")) to--;
  return text.slice(from, to);
}
