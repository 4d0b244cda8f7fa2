/** Every check that runs before anything lands: types, format and lint, dead code, and the house rules. Each must prove that it read something. */
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectFiles, tidy } from "./tidy.ts";

const ROOT = join(import.meta.dirname, "..");
const bin = (name: string) => join(ROOT, "node_modules/.bin", name);

interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly read: string;
  readonly output: string;
}

function run(file: string, args: readonly string[]): { readonly ok: boolean; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(file, args, {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return { ok: status === 0, output: `${stdout}${stderr}`.trim() };
}

const OURS = /^(?:src|test|bench|scripts|docs|examples|contrib|launcher|LICENSE)$|\.md$/;

/** The project's own files, found without git: an unpacked archive is a checkout too. */
function projectNames(): readonly string[] {
  return readdirSync(ROOT)
    .filter((name) => OURS.test(name))
    .flatMap((name) => (statSync(join(ROOT, name)).isDirectory() ? within(name) : [name]));
}

function within(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((name) => !name.includes("node_modules/") && statSync(join(ROOT, name)).isFile())
    .sort();
}

function types(sources: number): Outcome {
  const { ok, output } = run(bin("tsc"), ["-p", ".", "--listFilesOnly"]);
  const read = output
    .split("\n")
    .filter((line) => line.startsWith(`${ROOT}/`) && !line.includes("/node_modules/")).length;
  const checked = run(bin("tsc"), ["-p", "."]);
  return { name: "tsc", ok: ok && checked.ok && read >= sources, read: `${read} files`, output: checked.output };
}

function lint(): Outcome {
  const { ok, output } = run(bin("biome"), ["check", "--max-diagnostics=50", "."]);
  const read = Number(/Checked (\d+) files/.exec(output)?.[1] ?? 0);
  return { name: "biome", ok: ok && read > 0, read: `${read} files`, output };
}

function deadCode(): Outcome {
  const { ok, output } = run(bin("knip"), ["--no-progress", "--no-config-hints"]);
  // Knip says nothing when all is well, so ask it for a file that cannot be used.
  const sees = run(bin("knip"), ["--no-progress", "--no-config-hints", "--debug"]).output.includes(
    "src/store/store.ts",
  );
  return { name: "knip", ok: ok && sees, read: sees ? "the program" : "nothing", output };
}

function house(names: readonly string[]): Outcome {
  const isRead = (name: string) => /\.(ts|md)$/.test(name);
  // What is not read is still there to be linked to.
  const others = names.filter((name) => !isRead(name)).map((path) => ({ path, text: "" }));
  const read = projectFiles(ROOT, names.filter(isRead));
  const { findings } = tidy([...read, ...others]);
  const output = findings.map(({ path, line, rule, what }) => `${path}:${line}: ${rule}: ${what}`).join("\n");
  return { name: "tidy", ok: findings.length === 0 && read.length > 0, read: `${read.length} files`, output };
}

const names = projectNames();
const sources = names.filter((name) => /^(src|test|bench|scripts)\/.*\.ts$/.test(name)).length;
const outcomes = [types(sources), lint(), deadCode(), house(names)];
for (const { name, ok, read, output } of outcomes) {
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (read ${read})`);
  if (!ok) console.log(output);
}
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1;
