/** A copy of the program, so that a run is not disturbed by edits, and can be upgraded to another version of it. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const CHECKOUT = join(import.meta.dirname, "../../..");

export interface Program {
  readonly version: string;
  /** The file that `styr` is. */
  readonly styr: string;
}

/** Into `dir`; with `minor` more minor versions than the checkout has. */
export function copyProgram(dir: string, minor = 0): Program {
  mkdirSync(dir, { recursive: true });
  for (const name of ["src", "launcher", "docs", "package-lock.json"])
    cpSync(join(CHECKOUT, name), join(dir, name), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")) as { version: string };
  const [major = 0, second = 0] = manifest.version.split(".").map(Number);
  const version = minor === 0 ? manifest.version : `${major}.${second + minor}.0`;
  writeFileSync(join(dir, "package.json"), JSON.stringify({ ...manifest, version }));
  symlinkSync(join(CHECKOUT, "node_modules"), join(dir, "node_modules"));
  return { version, styr: join(dir, "launcher/styr") };
}
