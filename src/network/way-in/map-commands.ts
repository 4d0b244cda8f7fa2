/** HAProxy's maps, told to it while it runs, and heard from it (management guide of 2.6, 9.3). Pure. */
import type { FILES } from "./files.ts";

/** In the order in which they hear of what comes: whose a host is, and what is cut off there, before what is reached there. */
const ORDER = [
  "backers",
  "hosts",
  "cuts",
  "prefix",
  "exact",
  "challenges",
] as const satisfies readonly (keyof typeof FILES)[];

export type MapName = (typeof ORDER)[number];
export type Maps = ReadonlyMap<MapName, ReadonlyMap<string, string>>;

/** Signs that mean nothing in a line of commands. */
const PLAIN = /^[A-Za-z0-9._~/%*:@+,=-]+$/;

/** From one content to the next, of those maps that are wanted; undefined: there are keys that no command can say. */
export function mapCommands(path: (name: MapName) => string, before: Maps, after: Maps): readonly string[] | undefined {
  const [come, gone]: [string[], string[]] = [[], []];
  let isPlain = true;
  for (const name of ORDER) {
    const [old, wanted] = [before.get(name) ?? new Map<string, string>(), after.get(name)];
    if (wanted === undefined) continue;
    const say = (verb: string, ...words: readonly string[]) => {
      isPlain &&= words.every((word) => PLAIN.test(word));
      return `${verb} map ${path(name)} ${words.join(" ")}`;
    };
    for (const [key, value] of wanted)
      if (old.get(key) !== value) come.push(say(old.has(key) ? "set" : "add", key, value));
    for (const key of old.keys()) if (!wanted.has(key)) gone.unshift(say("del", key));
  }
  return isPlain ? [...come, ...gone] : undefined;
}

/** `show map`: an address within HAProxy, key and value. */
export function parseMap(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\n").map((line) => line.split(" "));
  // Of one that it does not have it says so, in words.
  return new Map(lines.flatMap(([at = "", key, value]) => (at.startsWith("0x") && key && value ? [[key, value]] : [])));
}
