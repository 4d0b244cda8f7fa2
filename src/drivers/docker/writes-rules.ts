/** Whether the engine makes rules of iptables for what its containers publish: as it says itself, or as it was told to at its start. */
import { readFile } from "node:fs/promises";
import { DriverError } from "../driver.ts";
import { type Engine, EngineRefusal } from "./engine.ts";

interface EngineInfo {
  /** From Docker 28 on. */
  readonly FirewallBackend?: { readonly Driver?: string };
}

/** Where Docker has them, unless it was told otherwise. */
const USUAL = { socket: "/var/run/docker.sock", pidFile: "/var/run/docker.pid", config: "/etc/docker/daemon.json" };
const PATIENCE_MS = 2_000;

/** Undefined: it does not run, or cannot be known. */
export async function writesRules(engine: Engine): Promise<boolean | undefined> {
  try {
    const { FirewallBackend } = await engine.call<EngineInfo>({ method: "GET", path: "/info", timeoutMs: PATIENCE_MS });
    const said = FirewallBackend?.Driver;
    if (said !== undefined) return said.startsWith("iptables");
  } catch (error) {
    if (error instanceof DriverError || error instanceof EngineRefusal) return undefined;
    throw error;
  }
  return engine.address.socketPath?.replace(/^\/run\//, "/var/run/") === USUAL.socket ? await toldAtStart() : undefined;
}

async function toldAtStart(): Promise<boolean | undefined> {
  const pid = (await readIfThere(USUAL.pidFile))?.trim() ?? "";
  const words = (await readIfThere(`/proc/${pid}/cmdline`))?.split("\0");
  if (!/^\d+$/.test(pid) || words === undefined) return undefined;
  const config = await readIfThere(optionOf(words, "config-file") ?? USUAL.config);
  return rulesAsTold(words, config);
}

/** `config`: text of daemon.json. An option and the file's word for it exclude each other (dockerd refuses both). Undefined: the file is none. */
export function rulesAsTold(words: readonly string[], config: string | undefined): boolean | undefined {
  const option = optionOf(words, "iptables");
  if (option !== undefined) return option !== "false" && option !== "0";
  if (config === undefined) return true;
  try {
    const { iptables = true } = JSON.parse(config) as { readonly iptables?: boolean };
    return iptables;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** `--name=value`, or `--name value`; a switch's value is never a word of its own. */
function optionOf(words: readonly string[], name: string): string | undefined {
  const at = words.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  if (at < 0) return undefined;
  const [, value] = words[at]?.split("=", 2) ?? [];
  return value ?? words[at + 1] ?? "";
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
