/** Changes one place of the program while it is being loaded, so that a run of the simulator can show that it notices. */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PlantedBug } from "./planted-bug.ts";

export const PROJECT = join(import.meta.dirname, "../../..");

/** Before any module of the product is imported. Gives a function that says whether the changed file was loaded. */
export function plantBug(bug: PlantedBug): () => boolean {
  const target = pathToFileURL(join(PROJECT, bug.file)).href;
  let isLoaded = false;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      isLoaded = true;
      return { ...loaded, source: mutated(bug, textOf(loaded.source)) };
    },
  });
  return () => isLoaded;
}

/** Throws when what is to be changed is not there exactly once: then the list is behind the program. */
export function mutated({ name, file, find, replace }: PlantedBug, text: string): string {
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
