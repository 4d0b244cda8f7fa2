/** Where others reach this machine, for as long as it can be reached there: a lease may end, a network may be renumbered. */
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Clock } from "../seams/clock.ts";
import { CommandError, type Commands } from "../seams/commands.ts";
import type { Log } from "../seams/log.ts";

export interface HostAddressOptions {
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: as the kernel says. */
  readonly choose?: () => string;
  /** Whether a device that is up has it. Default: as the kernel says. */
  readonly isUp?: (address: string) => boolean;
}

const LOOK_EVERY_MS = 5_000;
/** So often in a row it has to be gone: whoever renews a lease may take the address away and put it back. */
const MISSES = 2;
/** Of a machine without any network. */
const NOWHERE = "127.0.0.1";

export class HostAddress {
  readonly #options: HostAddressOptions;
  readonly #choose: () => string;
  #current: string;
  #misses = 0;

  constructor(options: HostAddressOptions) {
    this.#options = options;
    this.#choose = options.choose ?? hostAddress;
    this.#current = this.#choose();
  }

  get current(): string {
    return this.#current;
  }

  /** Looks now and then. `changed`: it is another from now on. */
  follow(changed: () => void, signal: AbortSignal): void {
    const { clock, log } = this.#options;
    const look = async () => {
      if (signal.aborted) return;
      try {
        if (await this.#isReplaced()) changed();
      } catch (error) {
        log.warn("the host's address could not be looked at", { why: String(error) });
      }
      clock.setTimer(LOOK_EVERY_MS, () => void look());
    };
    clock.setTimer(LOOK_EVERY_MS, () => void look());
  }

  async #isReplaced(): Promise<boolean> {
    this.#misses = (await this.#isHeld()) ? 0 : this.#misses + 1;
    if (this.#misses < (this.#current === NOWHERE ? 1 : MISSES)) return false;
    const next = this.#choose();
    if (next === NOWHERE || next === this.#current) return false;
    this.#options.log.warn("this host has another address", { before: this.#current, address: next });
    this.#current = next;
    this.#misses = 0;
    return true;
  }

  /** A device that is down for a while keeps its addresses. */
  async #isHeld(): Promise<boolean> {
    if (this.#current === NOWHERE) return false;
    if ((this.#options.isUp ?? isUp)(this.#current)) return true;
    try {
      const { exitCode, stdout } = await this.#options.commands.run("ip", ["-4", "-o", "addr", "show"]);
      return exitCode !== 0 || stdout.includes(` ${this.#current}/`);
    } catch (error) {
      // Nobody says: it stays.
      if (error instanceof CommandError) return true;
      throw error;
    }
  }
}

function isUp(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === address) === true);
}

/** The address that others are most likely to reach this machine at: of the interface with the default route, else of the first real one. */
export function hostAddress(): string {
  const all = Object.entries(networkInterfaces()).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const outward = defaultInterface(existsSync(ROUTES) ? readFileSync(ROUTES, "utf8") : "");
  const isOurs = (name: string) => !/^(?:lo|docker|br-|veth|styr|cni|virbr)/.test(name);
  const ranked = [
    ...all.filter(([name]) => name === outward),
    ...all.filter(([name]) => name !== outward && isOurs(name)),
  ];
  const usable = ranked
    .flatMap(([, list]) => list ?? [])
    .filter(({ internal, family }) => !internal && family === "IPv4");
  return usable[0]?.address ?? NOWHERE;
}

const ROUTES = "/proc/net/route";

/** The interface of the default route with the least metric, from the text of /proc/net/route. */
export function defaultInterface(routes: string): string | undefined {
  const lines = routes
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  const defaults = lines.filter(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000");
  return defaults.toSorted((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}
