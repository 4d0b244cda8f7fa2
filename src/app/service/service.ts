/** `styr service`: styr as a service of systemd, where that is the first process. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readIfThere } from "../trust/pair-files.ts";
import { unitFile } from "./unit-file.ts";

const UNIT_DIR = "/etc/systemd/system";

export interface ServiceOptions {
  readonly stateDir: string;
  readonly isDefaultState: boolean;
  /** Of styr: `up`, `server` or `agent`, with what it was given. */
  readonly words: readonly string[];
}

/** One per state directory. */
export function serviceName({ stateDir, isDefaultState }: Pick<ServiceOptions, "stateDir" | "isDefaultState">): string {
  if (isDefaultState) return "styrmann.service";
  const rest = stateDir.replace(/^\/+/, "").replaceAll(/[^\w.]+/g, "-");
  return `styrmann-${rest}.service`;
}

export function serviceText({ words }: ServiceOptions): string {
  const description = `Styrmann container orchestrator (styr ${words[0] ?? ""})`;
  return unitFile({ command: [LAUNCHER, ...words], description });
}

/** In whole: systemd has no search path of ours. */
const LAUNCHER = fileURLToPath(new URL("../../../launcher/styr", import.meta.url));

/** Writes the unit and starts it, now and at every boot. Throws an Error with words where there is no systemd. */
export async function installService(options: ServiceOptions, say: (line: string) => void): Promise<void> {
  refuseWithoutSystemd();
  const name = serviceName(options);
  const file = join(UNIT_DIR, name);
  const text = serviceText(options);
  await mkdir(UNIT_DIR, { recursive: true });
  const isNew = (await readIfThere(file)) !== text;
  if (isNew) await writeFile(file, text, { mode: 0o644, flush: true });
  await systemctl("daemon-reload");
  await systemctl("enable", name);
  await systemctl("restart", name);
  say(
    `${isNew ? "wrote" : "kept"} ${file}, and started it; its output: journalctl -u ${basename(name, ".service")} -f`,
  );
}

/** Stops and forgets it; what runs goes on running. False when there was none. */
export async function removeService(
  where: Pick<ServiceOptions, "stateDir" | "isDefaultState">,
  say: (line: string) => void,
): Promise<boolean> {
  const name = serviceName(where);
  const file = join(UNIT_DIR, name);
  if (!existsSync(file)) return false;
  if (hasSystemd()) await systemctl("disable", "--now", name);
  await rm(file, { force: true });
  if (hasSystemd()) await systemctl("daemon-reload");
  say(`removed the service ${name}`);
  return true;
}

/** sd_booted(3). */
function hasSystemd(): boolean {
  return existsSync("/run/systemd/system");
}

/** Whether this can work, before anything is changed for it. */
export function refuseWithoutSystemd(): void {
  if (!hasSystemd())
    throw new Error(
      "systemd does not run this host, so it cannot start styr as a service. See what would be run with: styr service print, and have that started at boot by what this host has (an init script, a container's command, a supervisor)",
    );
  if (process.geteuid?.() !== 0) throw new Error("only root can install a service; use sudo");
}

async function systemctl(...words: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)("systemctl", [...words], { timeout: 120_000 });
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    throw new Error(`systemctl ${words.join(" ")}: ${stderr.trim() || message}`);
  }
}
