import type { Document, Pair } from "yaml";

export interface YamlSurvey {
  /** Offset in the text of the first key that its mapping has already. */
  readonly repeatedKeyAt: number | undefined;
  readonly aliases: number;
}

interface Visited {
  /** Of a mapping: pairs; of a sequence: nodes. */
  readonly items?: readonly unknown[];
  readonly value?: unknown;
  readonly source?: string;
  readonly range?: readonly number[] | null;
}

/**
 * What a parsed document must be asked before it is made into a value. The library's own search for repeated keys
 * compares each key with all before it: 20,000 keys take it seconds. This looks at each once.
 */
export function surveyYaml({ contents }: Pick<Document, "contents">): YamlSurvey {
  let repeatedKeyAt: number | undefined;
  let aliases = 0;
  const open: unknown[] = [contents];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== "object" || node === null) continue;
    const { items } = node as Visited;
    if (isAlias(node)) aliases++;
    if (!items) continue;
    const at = firstRepeated(items);
    if (at !== undefined) repeatedKeyAt = Math.min(at, repeatedKeyAt ?? at);
    for (const item of items) {
      if (isPair(item)) open.push(item.key, item.value);
      else open.push(item);
    }
  }
  return { repeatedKeyAt, aliases };
}

/** Only scalars can be equal, as the library has it. */
function firstRepeated(items: readonly unknown[]): number | undefined {
  const seen = new Set<unknown>();
  for (const item of items) {
    if (!isPair(item) || typeof item.key !== "object" || item.key === null || !("value" in item.key)) continue;
    const { value, range } = item.key as Visited;
    if (seen.has(value)) return range?.[0] ?? 0;
    seen.add(value);
  }
  return undefined;
}

function isPair(item: unknown): item is Pair {
  return typeof item === "object" && item !== null && "key" in item;
}

function isAlias(node: object): boolean {
  return "source" in node && !("value" in node) && !("items" in node);
}
