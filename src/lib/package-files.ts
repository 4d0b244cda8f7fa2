import { readdirSync, readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** What a program runs of a package, and what its licence asks to stand beside it. */
const TAKEN = /\.(?:[cm]?js|json)$|^licen[cs]e/i;

/**
 * What is to stand in `node_modules` so that these packages can be loaded, with all that they need: places and texts. `from` is the file
 * that imports them. Two versions of one package would be one of them; only small packages in JavaScript are meant.
 */
export function packageFiles(names: readonly string[], from: string): readonly [path: string, text: string][] {
  const folders = new Map<string, string>();
  const open = names.map((name) => ({ name, from }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (folders.has(next.name)) continue;
    const about = findPackageJSON(next.name, pathToFileURL(next.from));
    if (about === undefined) throw new Error(`there is no package ${next.name}, which ${next.from} imports`);
    folders.set(next.name, dirname(about));
    const { dependencies = {} } = JSON.parse(readFileSync(about, "utf8")) as { dependencies?: Record<string, string> };
    for (const name of Object.keys(dependencies)) open.push({ name, from: about });
  }
  return [...folders].flatMap(([name, folder]) => filesOf(folder).map((path) => placed(name, folder, path)));
}

function placed(name: string, folder: string, path: string): [string, string] {
  return [join("node_modules", name, path), readFileSync(join(folder, path), "utf8")];
}

function filesOf(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .filter(({ name, parentPath }) => TAKEN.test(name) && !parentPath.slice(folder.length).includes("node_modules"))
    .map(({ name, parentPath }) => join(parentPath.slice(folder.length), name));
}
