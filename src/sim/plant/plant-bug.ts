/** Changes one place of the program, or two, while it is being loaded, so that a run of the simulator can show that it notices. */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Mistake, PlantedBug } from "./planted-bug.ts";

export const PROJECT = join(import.meta.dirname, "../../..");

/** Before any module of the product is imported. Gives a function that says whether the changed file was loaded. */
export function plantBug(bug: PlantedBug): () => boolean {
  const mistakes = new Map(
    mistakesOf(bug).map((mistake) => [pathToFileURL(join(PROJECT, mistake.file)).href, mistake]),
  );
  const loadedFiles = new Set<string>();
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const mistake = mistakes.get(url);
      if (!mistake) return loaded;
      loadedFiles.add(url);
      return { ...loaded, source: mutated({ name: bug.name, ...mistake }, textOf(loaded.source)) };
    },
  });
  return () => loadedFiles.size === mistakes.size;
}

export function mistakesOf({ file, find, replace, and }: PlantedBug): readonly Mistake[] {
  return [{ file, find, replace }, ...(and ? [and] : [])];
}

/** Throws when what is to be changed is not there exactly once: then the list is behind the program. */
export function mutated({ name, file, find, replace }: Mistake & Pick<PlantedBug, "name">, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(`planted bug "${name}": ${file} has the place to change ${parts.length - 1} times, not once`);
  return parts.join(replace);
}

function textOf(source: unknown): string {
  if (typeof source === "string") return source;
  if (source instanceof Uint8Array) return Buffer.from(source).toString("utf8");
  throw new Error("a module was loaded without its text");
}
