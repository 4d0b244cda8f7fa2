/**
 * X-Fleet's lists: a value that starts and ends with `"` is quoted words with single spaces between; anything else is one
 * value, spaces and all. Source: fleet job/job.go parseMultivalueLine.
 */
export function splitMultiValue(value: string): readonly string[] {
  if (!value.startsWith('"') || !value.endsWith('"')) return [value];
  const values: string[] = [];
  let word = "";
  let quoted = false;
  for (const character of value) {
    if (character === '"') quoted = !quoted;
    else if (character === " " && !quoted) {
      values.push(word);
      word = "";
    } else word += character;
  }
  return [...values, word];
}
