/** `styr support-bundle`: one file with what a person needs to help, and without secrets. */
import { accessSync, constants, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Command } from "commander";
import { defaultStateDir } from "../client/locations.ts";
import { humanBytes } from "../lib/quantity.ts";
import { tarOf } from "../lib/tar.ts";
import { CliFailure } from "./failure.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import { bundleOf } from "./support/bundle.ts";
import { hostSources } from "./support/host-sources.ts";
import { serverSources } from "./support/server-sources.ts";
import { surroundings } from "./surroundings.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("support-bundle")
    .description(
      "Write what a person needs to help into one file, without secrets. Works without a server, too, with less.",
    )
    .argument("[file]", "where to (default: styr-support-HOST-TIME.tar.gz here)")
    .option("--state <dir>", "where styr keeps everything on this host, if not in the usual place")
    .action(async (file: string | undefined, { state }: { readonly state?: string }, command: Command) => {
      await write(file ?? usualName(terminal), stateDirOf(state, terminal), command, terminal);
    });
}

async function write(file: string, stateDir: string, command: Command, terminal: Terminal): Promise<void> {
  const { token = terminal.env.STYR_TOKEN } = command.optsWithGlobals() as { readonly token?: string };
  const sources = [...serverSources(openSession(command, terminal)), ...hostSources(stateDir, terminal.env.PATH ?? "")];
  const { files, missing } = await bundleOf(sources, knownSecrets(stateDir, token));
  const folder = file
    .replace(/^.*\//, "")
    .replace(/\.(?:tar\.gz|tgz)$/, "")
    .slice(0, 40);
  const paths = files.map(({ path, text }) => ({ path: `${folder}/${path}`, text }));
  const bytes = await promisify(gzip)(tarOf(paths, terminal.clock.now()));
  await save(file, bytes);
  terminal.out(`${plainText(file)}: ${files.length} files, ${humanBytes(bytes.length)}, readable by you alone\n`);
  terminal.out("What is in it and what was taken out is in its README.txt; look through it before you give it away.\n");
  for (const words of missing) terminal.out(`not in it: ${plainText(words)}\n`);
}

/** Never over a file that is there, and for nobody else's eyes. */
async function save(file: string, bytes: Uint8Array): Promise<void> {
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.writeFile(bytes);
    await handle.close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new CliFailure(`${file} is there already`, { next: "styr support-bundle FILE" });
    throw new CliFailure(`${file} cannot be written: ${message}`);
  }
}

function usualName({ clock }: Terminal): string {
  const time = new Date(clock.now()).toISOString().replace(/[-:]/g, "").slice(0, 15);
  return `styr-support-${hostname().toLowerCase()}-${time}.tar.gz`;
}

function stateDirOf(given: string | undefined, { env }: Terminal): string {
  return resolve(given ?? env.STYR_STATE ?? defaultStateDir(surroundings(env)));
}

const LEAST_SECRET = 12;

function knownSecrets(stateDir: string, token: string | undefined): readonly string[] {
  const files = ["admin.token", "master.key"].map((name) => join(stateDir, "pki", name));
  const kept = files.flatMap((path) => (isReadable(path) ? [readFileSync(path, "utf8").trim()] : []));
  return [...kept, ...(token === undefined ? [] : [token])].filter((secret) => secret.length >= LEAST_SECRET);
}

/** To whoever calls this: a file that is not is none of his secrets. */
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
