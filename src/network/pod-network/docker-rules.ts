/**
 * Whether Docker's own rules are there, without which nothing that its containers publish is reached, and those that publish something do not
 * start. Docker makes them when it starts and does not look again; nobody but it makes them anew.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ShownTable } from "./shown-table.ts";

export interface DockerRulesOptions {
  /** Of the part's own. */
  readonly folder: string;
  /** Whether Docker runs and makes rules of iptables; undefined: it does not say. Absent: nobody can be asked. */
  readonly writesRules?: () => Promise<boolean | undefined>;
}

/** What was seen since the host began. */
interface Seen {
  readonly boot: string;
  readonly nat: boolean;
  readonly filter: boolean;
  /** They were missed when somebody looked last. */
  readonly isMissed?: boolean;
}

const GONE =
  "somebody took Docker's own rules away: published ports are not reached, and containers that publish some do not start; " +
  "systemctl restart docker makes them anew (with live-restore nothing stops)";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";

export class DockerRules {
  readonly #options: DockerRulesOptions;
  readonly #path: string;
  #seen: Seen | undefined;

  constructor(options: DockerRulesOptions) {
    this.#options = options;
    this.#path = join(options.folder, "docker-rules.json");
  }

  /** In words, what is gone of what Docker made. It may have been told to make none (`"iptables": false`): that is not missed. */
  async trouble(nat: ShownTable, filter: ShownTable): Promise<string | undefined> {
    const seen = await this.#remembered();
    const now = { nat: hasNat(nat), filter: hasFilter(filter) };
    const isThere = now.nat && (now.filter || !seen.filter);
    const writes = isThere ? undefined : await this.#options.writesRules?.();
    if (writes === false) {
      await this.#remember({ boot: seen.boot, nat: false, filter: false });
      return undefined;
    }
    const isMissed = !isThere && (writes === true || seen.nat || seen.filter);
    const all = { boot: seen.boot, nat: seen.nat || now.nat, filter: seen.filter || now.filter };
    await this.#remember(isMissed ? { ...all, isMissed } : all);
    return isMissed ? GONE : undefined;
  }

  /** What was said last since the host began, for an agent that has not looked yet. */
  async last(): Promise<string | undefined> {
    return (await this.#remembered()).isMissed === true ? GONE : undefined;
  }

  async forget(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async #remembered(): Promise<Seen> {
    const boot = (await readFile(BOOT_ID, "utf8")).trim();
    if (this.#seen?.boot !== boot) this.#seen = await this.#read();
    // Docker has begun anew as well, perhaps with other settings.
    if (this.#seen?.boot !== boot) this.#seen = { boot, nat: false, filter: false };
    return this.#seen;
  }

  async #read(): Promise<Seen | undefined> {
    try {
      return JSON.parse(await readFile(this.#path, "utf8")) as Seen;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #remember(seen: Seen): Promise<void> {
    if (JSON.stringify(seen) === JSON.stringify(this.#seen)) return;
    this.#seen = seen;
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    await writeFile(this.#path, JSON.stringify(seen), { mode: 0o600 });
  }
}

/** What is published is translated there. */
function hasNat({ chains }: ShownTable): boolean {
  return chains.has("DOCKER") && chains.get("PREROUTING")?.some((rule) => rule.endsWith("-j DOCKER")) === true;
}

/** FORWARD leads to its chains; that for users is no rule of its own. */
function hasFilter({ chains }: ShownTable): boolean {
  return chains.get("FORWARD")?.some((rule) => /-j DOCKER(?!-USER\b)/.test(rule)) === true;
}
