/** Installs the distribution's Docker Engine on Debian and its kin, and says how to start it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { HostFacts } from "./check.ts";

export interface CommandOutcome {
  readonly exitCode: number;
  /** The end of what it printed. */
  readonly output: string;
}

/** Runs an argument vector to its end, line by line. */
export type RunCommand = (argv: readonly string[], onLine: (line: string) => void) => Promise<CommandOutcome>;

export type InstallOutcome =
  | { readonly installed: true; readonly message: string }
  | { readonly installed: false; readonly message: string; readonly fix: string };

/** Why it cannot be installed here, in words; undefined when it can. */
export function installRefusal(facts: Pick<HostFacts, "platform" | "isRoot" | "distributions">): string | undefined {
  if (facts.platform !== "linux")
    return `this is ${facts.platform}: install Docker Desktop or another Docker Engine by hand`;
  if (!facts.distributions.some((id) => id === "debian" || id === "ubuntu"))
    return `this is ${facts.distributions[0] ?? "an unknown system"}, not Debian or Ubuntu: install its Docker Engine by hand`;
  return facts.isRoot ? undefined : "installing needs root: run this as root, or apt-get install docker.io";
}

/** Packages beside docker.io: certificates for registries, and iptables, which the daemon does not start without. */
const PACKAGES = ["docker.io", "ca-certificates", "iptables"];

type InstallFacts = Pick<HostFacts, "platform" | "isRoot" | "distributions">;

interface InstallOptions {
  readonly run: RunCommand;
  readonly progress: (line: string) => void;
}

/** `apt-get install docker.io`, with progress in its own words. Refused or failed is an outcome with words, not an exception. */
export function installEngine(facts: InstallFacts, options: InstallOptions): Promise<InstallOutcome> {
  return installPackages(PACKAGES, facts, options);
}

/** The same for any of the distribution's packages. The first names what it is all for. */
export async function installPackages(
  packages: readonly string[],
  facts: InstallFacts,
  options: InstallOptions,
): Promise<InstallOutcome> {
  const refusal = installRefusal(facts);
  if (refusal !== undefined)
    return { installed: false, message: `${packages[0]} was not installed: ${refusal}`, fix: refusal };
  const apt = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-q"];
  const steps = [
    [...apt, "update"],
    [...apt, "install", "-y", "--no-install-recommends", ...packages],
  ];
  for (const argv of steps) {
    options.progress(`$ ${argv.join(" ")}`);
    const { exitCode, output } = await options.run(argv, options.progress);
    // Lists that could not be renewed may still be good enough; the installation itself decides.
    if (exitCode !== 0 && argv.includes("install"))
      return {
        installed: false,
        message: `"${argv.join(" ")}" failed with exit code ${exitCode}: ${lastWords(output)}`,
        fix: "repair apt (apt-get update; apt-get install docker.io), or use --no-install",
      };
  }
  return { installed: true, message: `${packages[0]} is installed` };
}

function lastWords(output: string): string {
  const errors = output.split("\n").filter((line) => /^E: /.test(line));
  return (errors.length > 0 ? errors : output.trim().split("\n").slice(-3)).join(" ");
}

/** Runs commands for `installEngine`; `env` is the whole environment of the command. */
export function commandRunner(env: Readonly<Record<string, string>>): RunCommand {
  return ([file = "", ...args], onLine) =>
    new Promise((resolve) => {
      const child = spawn(file, args, {
        env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const lines: string[] = [];
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on("line", (line) => {
          lines.push(line);
          if (lines.length > 200) lines.shift();
          onLine(line);
        });
      child.on("error", (error) => resolve({ exitCode: 127, output: error.message }));
      child.on("close", (code) => resolve({ exitCode: code ?? 1, output: lines.join("\n") }));
    });
}
