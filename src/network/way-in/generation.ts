/**
 * One configuration with all that it reads, in a folder of its own: it is checked there before anything of the one in force is touched,
 * and what HAProxy reads again by itself is never half of another one.
 */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { Backend } from "./backend.ts";
import { FILES } from "./files.ts";
import type { WayInPlan } from "./plan.ts";
import { renderConfig, type WayInPlaces } from "./render.ts";
import type { Slots } from "./slots.ts";

export interface GenerationInput {
  readonly places: WayInPlaces;
  readonly plan: WayInPlan;
  readonly slots: (backend: string) => Slots;
  readonly certificates: string;
  /** Path of a challenge → its answer. */
  readonly challenges: ReadonlyMap<string, string>;
}

export interface Generation {
  /** The same as long as nothing changed but where servers are, and challenges: what HAProxy can be told while it runs. */
  readonly id: string;
  readonly folder: string;
  readonly config: string;
  readonly files: ReadonlyMap<string, string>;
}

const MARK = "# generation ";

export function generationOf({ places, plan, slots, certificates, challenges }: GenerationInput): Generation {
  const maps = {
    ...{ [FILES.exact]: mapText(plan.exact), [FILES.prefix]: mapText(plan.prefix), [FILES.hosts]: mapText(plan.hosts) },
    ...{ [FILES.backers]: mapText(plan.backers) },
  };
  const render = (folder: string, each: (name: string) => Slots) =>
    renderConfig({ ...places, data: folder }, plan.backends.values(), each);
  // A slot that points nowhere is as good as any: their number counts.
  const form = render("", (name) => slots(name).map(() => undefined));
  const digest = createHash("sha256").update(JSON.stringify([form, maps, certificates]));
  const id = digest.digest("hex").slice(0, 32);
  const folder = dataFolder(places.folder, id);
  const config = `${MARK}${id}\n${render(folder, slots)}`;
  const files = new Map(Object.entries({ ...maps, [FILES.challenges]: mapText(challenges) }));
  files.set(FILES.certificates, certificates).set(FILES.config, config);
  return { id, folder, config, files };
}

export function dataFolder(root: string, id: string): string {
  return `${root}/of-${id}`;
}

function mapText(map: ReadonlyMap<string, string>): string {
  return [...map]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key} ${value}\n`)
    .join("");
}

/** Returns the path of its configuration. */
export async function writeGeneration({ folder, files }: Generation): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of files) await writeFile(`${folder}/${name}`, text, { mode: 0o600 });
  return `${folder}/${FILES.config}`;
}

/** From now on this is what HAProxy reads when it begins anew. */
export async function putInForce(root: string, { folder }: Generation): Promise<void> {
  await copyFile(`${folder}/${FILES.config}`, `${root}/${FILES.config}.new`);
  await rename(`${root}/${FILES.config}.new`, `${root}/${FILES.config}`);
}

/** The generation that HAProxy was started with, or reloaded last; undefined when there is none. */
export async function generationInForce(root: string): Promise<string | undefined> {
  const text = await readFile(`${root}/${FILES.config}`, "utf8").catch(() => "");
  return text.startsWith(MARK) ? text.slice(MARK.length, text.indexOf("\n")) : undefined;
}

export async function sweepGenerations(root: string, kept: readonly string[]): Promise<void> {
  for (const name of await readdir(root))
    if (name.startsWith("of-") && !kept.includes(`${root}/${name}`))
      await rm(`${root}/${name}`, { recursive: true, force: true });
}

const LINE = /:(\d+)\]/g;

/** The backends that HAProxy's words about a configuration name by the numbers of lines. */
export function culprits(words: string, config: string, backends: ReadonlyMap<string, Backend>): readonly Backend[] {
  const lines = config.split("\n");
  const found = new Set<Backend>();
  for (const [, number] of words.matchAll(LINE)) {
    for (let at = Math.min(Number(number), lines.length) - 1; at >= 0; at--) {
      const [, name] = /^(?:backend |userlist users-)(\S+)$/.exec(lines[at] ?? "") ?? [];
      const backend = name === undefined ? undefined : backends.get(name);
      if (backend) found.add(backend);
      if (name !== undefined || /^(?:frontend|defaults|global)/.test(lines[at] ?? "")) break;
    }
  }
  return [...found];
}

const LIST_LINE = new RegExp(`error processing line (\\d+) in file '[^']*${FILES.certificates}'`, "g");

/** The lines of a crt-list that HAProxy's words name; never the first, which is our own for all others. */
export function badCertificates(words: string, list: string): readonly string[] {
  const lines = list.split("\n");
  const named = [...words.matchAll(LIST_LINE)].map(([, number]) => Number(number));
  return [...new Set(named)].flatMap((number) => (number > 1 ? (lines[number - 1] ?? []) : []));
}
