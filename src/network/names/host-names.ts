/**
 * Names for what runs on the host itself: processes, units, people. systemd-resolved is told which domains are ours, where it runs; else,
 * when asked to, our server is put first in resolv.conf, in a block that is taken out again.
 */
import { existsSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { Clock } from "../../seams/clock.ts";
import { CommandError, type Commands } from "../../seams/commands.ts";
import { parseResolvConf, withOurs, withoutOurs } from "./resolv-conf.ts";

export interface HostNamesOptions {
  readonly commands: Commands;
  readonly clock: Clock;
  /** The pods' bridge: systemd-resolved knows domains by links. */
  readonly bridge: string;
  /** May resolv.conf be changed where there is no systemd-resolved? */
  readonly mayWriteResolvConf: boolean;
  readonly resolvConf?: string;
  /** There when systemd-resolved runs. */
  readonly resolvedFolder?: string;
}

export interface HostNamesWish {
  readonly address: string;
  readonly domain: string;
}

/** systemd-resolved forgets what it was told when it is started again. */
const TELL_AGAIN_MS = 60_000;

export class HostNames {
  readonly #options: HostNamesOptions;
  readonly #resolvConf: string;
  readonly #resolved: string;
  #problem: string | undefined;
  #elsewhere: string | undefined;
  #told: { readonly wish: string; readonly atMs: number } | undefined;

  constructor(options: HostNamesOptions) {
    this.#options = options;
    this.#resolvConf = options.resolvConf ?? "/etc/resolv.conf";
    this.#resolved = options.resolvedFolder ?? "/run/systemd/resolve";
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whom the host asks in place of this node's server: what runs on it knows no names of the cluster then. A server of its own may pass them on. */
  get elsewhere(): string | undefined {
    return this.#elsewhere;
  }

  /** Cheap when nothing is to be done: to be called again and again, because other programs write there too. */
  async apply({ address, domain }: HostNamesWish): Promise<void> {
    this.#elsewhere = undefined;
    if (existsSync(this.#resolved)) return this.#tellResolved(address, [domain, "mesos", "fleet.local"]);
    this.#problem = undefined;
    if (!this.#options.mayWriteResolvConf) {
      this.#elsewhere = this.#asks(address);
      return;
    }
    const searches = [`default.svc.${domain}`, `svc.${domain}`, domain, "marathon.mesos", "fleet.local"];
    this.#write((text) => withOurs(text, address, domain === "" ? [] : searches));
  }

  #asks(address: string): string | undefined {
    if (!existsSync(this.#resolvConf)) return undefined;
    const [first] = parseResolvConf(readFileSync(this.#resolvConf, "utf8")).nameservers;
    return first === address || first?.startsWith("127.") === true || first === "::1" ? undefined : first;
  }

  async remove(): Promise<void> {
    if (existsSync(this.#resolved)) await this.#run(["revert", this.#options.bridge]);
    this.#write(withoutOurs);
  }

  /** `~`: names below it are asked here, and nothing is looked for below it. */
  async #tellResolved(address: string, domains: readonly string[]): Promise<void> {
    const { bridge, clock } = this.#options;
    const [wish, nowMs] = [[address, ...domains].join(" "), clock.monotonic()];
    const isTold = this.#told?.wish === wish && nowMs - this.#told.atMs < TELL_AGAIN_MS;
    if (isTold && this.#problem === undefined) return;
    this.#told = { wish, atMs: nowMs };
    this.#problem = undefined;
    if (!(await this.#run(["dns", bridge, address]))) return;
    await this.#run(["domain", bridge, ...domains.filter((name) => name !== "").map((name) => `~${name}`)]);
  }

  async #run(args: readonly string[]): Promise<boolean> {
    try {
      const { exitCode, stderr } = await this.#options.commands.run("resolvectl", args);
      if (exitCode !== 0) this.#problem = `resolvectl ${args[0]}: ${stderr.trim()}`;
      return exitCode === 0;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#problem = `names are not told to systemd-resolved: ${error.message}`;
      return false;
    }
  }

  /** Beside it and renamed; in place where it is a mount of its own, as in containers. */
  #write(change: (text: string) => string | undefined): void {
    if (!existsSync(this.#resolvConf)) return;
    // NetworkManager and resolvconf keep it elsewhere and link to it: the link stays.
    const path = realpathSync(this.#resolvConf);
    const text = change(readFileSync(path, "utf8"));
    if (text === undefined) return;
    const draft = `${path}.styrmann`;
    try {
      writeFileSync(draft, text, { mode: statSync(path).mode & 0o777 });
      renameSync(draft, path);
    } catch (error) {
      rmSync(draft, { force: true });
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") this.#problem = `${path}: ${(error as Error).message}`;
      else writeFileSync(path, text);
    }
  }
}
