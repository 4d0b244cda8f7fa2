import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The keeper's files, ready to run. */
export interface KeeperProgram {
  readonly main: string;
}

/**
 * Writes the keeper and what it imports as JavaScript below `directory`. Node's own type stripping would cost the keeper
 * 17 MB for as long as it lives, and an update of the installed files would change what a new `exec` runs under it.
 */
export function writeProgram(directory: string): KeeperProgram {
  const start = fileURLToPath(new URL("./main.ts", import.meta.url));
  const files = [...sourcesFrom([start, fileURLToPath(new URL("./exec-as.ts", import.meta.url))])];
  const base = resolve(dirname(start), "../../..");
  const texts = files.map(([path, text]): [string, string] => [relative(base, path), text]).sort();
  const hash = createHash("sha256").update(process.execPath).update(JSON.stringify(texts)).digest("hex").slice(0, 16);
  const target = join(directory, `keeper-${hash}`);
  const main = join(target, compiledName(relative(base, start)));
  if (existsSync(main)) return { main };

  const draft = `${target}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  for (const [path, text] of texts) {
    const file = join(draft, compiledName(path));
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const mode = path.endsWith("exec-as.ts") ? 0o700 : 0o600;
    writeFileSync(file, compile(text, path), { mode });
  }
  publish(draft, target);
  return { main };
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

/** Every source reachable by relative imports; types do not count. */
function sourcesFrom(starts: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const open = [...starts];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    const text = readFileSync(path, "utf8");
    found.set(path, text);
    for (const [, specifier = ""] of text.matchAll(/^(?:import|export|\}) (?!type\b)[^;]*?from "(\.[^"]+)";$/gm)) {
      open.push(resolve(dirname(path), specifier));
    }
  }
  return found;
}

function compile(text: string, path: string): string {
  const script = quietly(() => stripTypeScriptTypes(text)).replace(/(from ")(\.[^"]+)\.ts(";)/g, "$1$2.mjs$3");
  return path.endsWith("exec-as.ts") ? `#!${process.execPath}\n${script}` : script;
}

/** Node calls the function experimental on every user's terminal; this program's tests pin what it does. */
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
