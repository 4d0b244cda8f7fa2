/**
 * One configuration with all that it reads, in a folder of its own: it is checked there before anything of the one in force is touched,
 * and what HAProxy reads again by itself is never half of another one.
 */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { Backend } from "./backend.ts";
import { FILES } from "./files.ts";
import type { MapName, Maps } from "./map-commands.ts";
import type { WayInPlan } from "./plan.ts";
import { renderConfig, type WayInPlaces } from "./render.ts";
import { renderBackend } from "./render-backend.ts";
import { cutsOf } from "./render-rewrite.ts";
import type { Slots } from "./slots.ts";

export interface GenerationInput {
  readonly places: WayInPlaces;
  readonly plan: WayInPlan;
  readonly slots: (backend: string) => Slots;
  readonly certificates: string;
  /** Path of a challenge → its answer. */
  readonly challenges: ReadonlyMap<string, string>;
  /** Forms of backends that were made before, of the same places. */
  readonly known?: KnownForms;
}

export type KnownForms = WeakMap<Backend, { readonly room: number; readonly form: string }>;

export interface Generation {
  /** The same as long as nothing changed but where servers are, and challenges. */
  readonly id: string;
  readonly folder: string;
  readonly config: string;
  readonly files: ReadonlyMap<string, string>;
  readonly maps: Maps;
  readonly certificates: string;
  /** Digest of all that HAProxy cannot be told while it runs (told.ts). */
  readonly form: string;
  /** The same of each backend by its name, and of the rest by "". */
  readonly forms: ReadonlyMap<string, string>;
}

const MARK = "# generation ";
const FORM = "\n# form ";

/** Most changes can be told to an HAProxy that runs: what it reads when it begins is not made before somebody asks for it. */
export function generationOf(input: GenerationInput): Generation {
  const { plan, challenges, certificates } = input;
  const maps = mapsOf(plan, challenges);
  const forms = formsOf(input);
  const form = digestOf(JSON.stringify([...forms]));
  let made: Made | undefined;
  const read = () => {
    made ??= madeOf(input, maps, form);
    return made;
  };
  return {
    ...{ maps, certificates, form, forms },
    get id() {
      return read().id;
    },
    get folder() {
      return read().folder;
    },
    get config() {
      return read().config;
    },
    get files() {
      return read().files;
    },
  };
}

type Made = Pick<Generation, "id" | "folder" | "config" | "files">;

function madeOf({ places, plan, slots, certificates }: GenerationInput, maps: Maps, form: string): Made {
  const texts = [...mapsOf(plan, new Map()).values()].map(mapText);
  const id = digestOf(JSON.stringify([form, texts, certificates]));
  const folder = dataFolder(places.folder, id);
  const config = `${MARK}${id}${FORM}${form}\n${renderConfig({ ...places, data: folder }, plan.backends.values(), slots)}`;
  const files = new Map<string, string>([...maps].map(([name, map]) => [FILES[name], mapText(map)]));
  files.set(FILES.certificates, certificates).set(FILES.config, config);
  return { id, folder, config, files };
}

function formsOf({ places, plan: { backends }, slots, known }: GenerationInput): ReadonlyMap<string, string> {
  const forms = new Map([["", digestOf(renderConfig({ ...places, data: "" }, [], () => []))]]);
  for (const backend of [...backends.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const room = slots(backend.name).length;
    const before = known?.get(backend);
    const form = before?.room === room ? before.form : formOf(backend, room, places);
    known?.set(backend, { room, form });
    forms.set(backend.name, form);
  }
  return forms;
}

/** A slot that points nowhere is as good as any: their number counts. */
function formOf(backend: Backend, room: number, places: WayInPlaces): string {
  const nowhere = Array.from({ length: room }, () => undefined);
  return digestOf(renderBackend(backend, nowhere, { ...places, data: "" }));
}

/** Whoever runs with the one serves the other: it may have more backends than that needs. */
export function covers(running: Pick<Generation, "form" | "forms">, wanted: Generation): boolean {
  if (running.form === wanted.form) return true;
  return [...wanted.forms].every(([name, form]) => running.forms.get(name) === form);
}

export function mapsOf(plan: WayInPlan, challenges: ReadonlyMap<string, string>): Maps {
  const { hosts, backers, closed } = plan;
  const exact = new Map([...plan.exact, ...closed.exact]);
  const prefix = new Map([...plan.prefix, ...closed.prefix]);
  const all = { exact, prefix, hosts, backers, cuts: cutsOf(prefix), challenges };
  return new Map(Object.entries(all) as [MapName, ReadonlyMap<string, string>][]);
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

export function dataFolder(root: string, id: string): string {
  return `${root}/of-${id}`;
}

export function mapText(map: ReadonlyMap<string, string>): string {
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

/** What makes the configuration of a folder; undefined when it is not there. */
export async function formIn(folder: string): Promise<string | undefined> {
  const text = await readFile(`${folder}/${FILES.config}`, "utf8").catch(() => "");
  return new RegExp(`^${MARK}\\S+${FORM}(\\S+)`).exec(text)?.[1];
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
