/** How the launcher starts `styr up`, read from it, so that what is measured is what runs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const PROJECT = join(import.meta.dirname, "../..");

/** Of `styr up`, `styr agent`, `styr server`. */
export function serverFlags(command: "up" | "agent" | "server" = "up"): readonly string[] {
  const [, flags = ""] = new RegExp(`^(?:.* )?${command}(?: .*)?\\)\n\\s*flags="([^"]+)"`, "m").exec(launcher()) ?? [];
  return [...flags.split(" ").filter((flag) => flag !== ""), "--disable-warning=ExperimentalWarning"];
}

export function serverEnvironment(): Readonly<Record<string, string>> {
  const arenas = /MALLOC_ARENA_MAX=(\d+)/.exec(launcher())?.[1];
  const cache = join(PROJECT, "node_modules/.cache/styr");
  return { NODE_COMPILE_CACHE: cache, ...(arenas === undefined ? {} : { MALLOC_ARENA_MAX: arenas }) };
}

function launcher(): string {
  return readFileSync(join(PROJECT, "launcher/styr"), "utf8");
}
