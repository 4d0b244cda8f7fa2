/** From what the kernel has to what it is to have, as one nft transaction. Pure. */
import { commentOf, type ElementThing, type Thing, type Things } from "./thing.ts";

/** Elements of one statement: a line of nft is no place for a hundred thousand. */
const MOST_AT_ONCE = 1_000;

/** `table`: `ip styrmann`. `before` is what the kernel has of the names in `changed`. "": nothing to do. */
export function changeScript(table: string, before: Things, after: Things, changed: Iterable<string>): string {
  const names = [...changed].sort();
  const made = names.flatMap((name): readonly Entry[] => {
    const thing = after.get(name);
    return thing ? [{ name, thing, old: before.get(name) }] : [];
  });
  const gone = names.flatMap((name): readonly Entry[] => {
    const old = before.get(name);
    return old && !after.has(name) ? [{ name, thing: old, old }] : [];
  });
  const differences = sharedDifferences();
  return [
    ...made.filter(({ old }) => old === undefined).flatMap((entry) => creation(table, entry)),
    ...made.flatMap((entry) => filling(table, entry, differences)),
    ...gone.flatMap(({ thing }) => (thing.kind === "element" ? [elementLine("delete", table, thing, false)] : [])),
    ...made.flatMap(({ thing, old }) => (thing.kind === "element" ? turning(table, thing, old) : [])),
    ...removal(
      table,
      gone.flatMap(({ name, thing }) => (thing.kind === "element" ? [] : [{ kind: thing.kind, name }])),
    ),
  ].join("\n");
}

/** What kernel and plan have nothing to do with each other yet: everything of ours is made anew, and what is not wanted goes, at once. */
export function wholeScript(table: string, there: readonly Place[], after: Things): string {
  const entries = [...after].map(([name, thing]) => ({ name, thing, old: undefined }));
  const emptied = entries.flatMap(({ name, thing }) =>
    thing.kind === "element" ? [] : [`flush ${thing.kind} ${table} ${name}`],
  );
  return [
    ...entries.flatMap((entry) => creation(table, entry)),
    ...emptied,
    ...entries.flatMap((entry) => filling(table, entry)),
    ...entries.flatMap(({ thing }) => (thing.kind === "element" ? turning(table, thing, undefined) : [])),
    ...removal(
      table,
      there.filter(({ name }) => !after.has(name)),
    ),
  ].join("\n");
}

/**
 * The same, but only `gone` is taken away: the kernel may have rules of pods that run, and are not known yet. `there`: its elements,
 * by `map address`.
 */
export function adoptingScript(table: string, there: Things, after: Things, gone: readonly ElementThing[]): string {
  const entries = [...after].map(([name, thing]) => ({ name, thing, old: undefined }));
  const emptied = entries.flatMap(({ name, thing }) =>
    thing.kind === "chain" || thing.kind === "set" ? [`flush ${thing.kind} ${table} ${name}`] : [],
  );
  return [
    ...entries.flatMap((entry) => creation(table, entry)),
    ...emptied,
    ...entries.flatMap((entry) => filling(table, entry)),
    ...entries.flatMap(({ name, thing }) => (thing.kind === "element" ? turning(table, thing, there.get(name)) : [])),
    ...gone.map((element) => elementLine("delete", table, element, false)),
  ].join("\n");
}

export interface Place {
  readonly kind: "set" | "chain" | "map";
  readonly name: string;
}

interface Entry {
  readonly name: string;
  readonly thing: Thing;
  readonly old: Thing | undefined;
}

function creation(table: string, { name, thing }: Entry): readonly string[] {
  if (thing.kind === "element") return [];
  const comment = `comment "${commentOf(thing.comment)}";`;
  if (thing.kind === "chain") return [`add chain ${table} ${name} { ${thing.hook ?? ""} ${comment} }`];
  const type = thing.kind === "set" ? thing.type : `${thing.type} : verdict`;
  return [`add ${thing.kind} ${table} ${name} { type ${type}; ${comment} }`];
}

function filling(table: string, { name, thing, old }: Entry, differences = sharedDifferences()): readonly string[] {
  if (thing.kind === "chain") {
    const rules = thing.rules.map((rule) => `add rule ${table} ${name} ${rule}`);
    return old === undefined ? rules : [`flush chain ${table} ${name}`, ...rules];
  }
  if (thing.kind !== "set") return [];
  const { gone, come } = differences(old?.kind === "set" ? old.elements : undefined, thing.elements);
  return [...elementLines("delete", table, name, gone), ...elementLines("add", table, name, come)];
}

interface Difference {
  readonly gone: readonly string[];
  readonly come: readonly string[];
}

type Differences = (had: readonly string[] | undefined, has: readonly string[]) => Difference;

/** Sets with the same lists are looked at once. */
function sharedDifferences(): Differences {
  const known = new Map<readonly string[] | undefined, Map<readonly string[], Difference>>();
  return (had, has) => {
    const there = known.get(had) ?? new Map<readonly string[], Difference>();
    known.set(had, there);
    const found = there.get(has) ?? differenceOf(new Set(had), new Set(has));
    there.set(has, found);
    return found;
  };
}

function differenceOf(had: ReadonlySet<string>, has: ReadonlySet<string>): Difference {
  return { gone: [...had.difference(has)], come: [...has.difference(had)] };
}

function turning(table: string, thing: ElementThing, old: Thing | undefined): readonly string[] {
  const before = old?.kind === "element" ? [elementLine("delete", table, old, false)] : [];
  return [...before, elementLine("add", table, thing, true)];
}

function elementLine(verb: string, table: string, { map, key, chain }: ElementThing, whole: boolean): string {
  return `${verb} element ${table} ${map} { ${key}${whole ? ` : goto ${chain}` : ""} }`;
}

function elementLines(verb: string, table: string, set: string, elements: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < elements.length; at += MOST_AT_ONCE)
    lines.push(`${verb} element ${table} ${set} { ${elements.slice(at, at + MOST_AT_ONCE).join(", ")} }`);
  return lines;
}

/** Emptied first: they name each other. */
function removal(table: string, places: readonly Place[]): readonly string[] {
  const [chains, others] = [
    places.filter(({ kind }) => kind === "chain"),
    places.filter(({ kind }) => kind !== "chain"),
  ];
  return [
    ...chains.map(({ name }) => `flush chain ${table} ${name}`),
    ...others.flatMap(({ kind, name }) => (kind === "map" ? [`flush map ${table} ${name}`] : [])),
    ...chains.map(({ name }) => `delete chain ${table} ${name}`),
    ...others.map(({ kind, name }) => `delete ${kind} ${table} ${name}`),
  ];
}
