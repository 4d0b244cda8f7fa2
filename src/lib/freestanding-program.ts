/** Programs of ours that outlive the process that starts them: what they need as JavaScript in a folder of their own. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { packageFiles } from "./package-files.ts";

export interface FreestandingSources {
  /** The folder is named after it, and after a digest of all it holds. */
  readonly name: string;
  /** The program itself. */
  readonly main: URL;
  /** Files that it runs by name, and that are made executable. */
  readonly executables?: readonly URL[];
}

export interface FreestandingProgram {
  readonly main: string;
  readonly hash: string;
}

/** Of the sources' places: what holds src/. */
const BASE = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Writes them below `directory`. Node's own type stripping would cost such a program 17 MB for as long as it lives, and an update of
 * the installed files would change what runs under it.
 */
export function writeFreestanding(directory: string, sources: FreestandingSources): FreestandingProgram {
  const start = fileURLToPath(sources.main);
  const executables = (sources.executables ?? []).map((url) => fileURLToPath(url));
  const { files, packages } = sourcesFrom([start, ...executables]);
  const own = [...files].map(([path, text]): [string, string] => [relative(BASE, path), text]);
  const texts = [...own, ...packageFiles([...packages], start)].sort();
  const hash = createHash("sha256").update(process.execPath).update(JSON.stringify(texts)).digest("hex").slice(0, 16);
  const target = join(directory, `${sources.name}-${hash}`);
  const main = join(target, compiledName(relative(BASE, start)));
  if (existsSync(main)) return { main, hash };

  const draft = `${target}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  for (const [path, text] of texts) {
    const file = join(draft, compiledName(path));
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const isExecutable = executables.includes(join(BASE, path));
    const script = path.endsWith(".ts") ? compile(text, isExecutable) : text;
    writeFileSync(file, script, { mode: isExecutable ? 0o700 : 0o600 });
  }
  publish(draft, target);
  return { main, hash };
}

function publish(draft: string, target: string): void {
  try {
    renameSync(draft, target);
  } catch (error) {
    // Another process has just written the same.
    if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    rmSync(draft, { recursive: true });
  }
}

/** Every source reachable by relative imports, and the packages that they import; types do not count. */
function sourcesFrom(starts: readonly string[]) {
  const files = new Map<string, string>();
  const packages = new Set<string>();
  const open = [...starts];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue;
    const text = readFileSync(path, "utf8");
    files.set(path, text);
    for (const [, specifier = ""] of text.matchAll(/^(?:import|export|\}) (?!type\b)[^;]*?from "([^"]+)";$/gm)) {
      if (specifier.startsWith(".")) open.push(resolve(dirname(path), specifier));
      else if (!specifier.startsWith("node:")) packages.add(specifier);
    }
  }
  return { files, packages };
}

function compile(text: string, isExecutable: boolean): string {
  const script = quietly(() => stripTypeScriptTypes(text)).replace(/(from ")(\.[^"]+)\.ts(";)/g, "$1$2.mjs$3");
  return isExecutable ? `#!${process.execPath}\n${script}` : script;
}

/** Node calls the function experimental on every user's terminal; tests pin what it does. */
function quietly<T>(act: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return act();
  } finally {
    process.emitWarning = emitWarning;
  }
}

function compiledName(path: string): string {
  return path.replace(/\.ts$/, ".mjs");
}
