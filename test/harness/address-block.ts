/** Address ranges for private engines: a /22 each, which no interface, route or other engine of this machine uses. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface AddressBlock {
  /** `10.213.40`: the block is the four /24 from here. */
  readonly prefix: string;
  /** n-th /24 of the block (0-3), as `10.213.40.0/24`. */
  subnet(n: number): string;
  /** An address in the n-th /24. */
  address(n: number, host: number): string;
  readonly lock: string;
}

const LOCKS = join(tmpdir(), "styr-test-addresses");

/** Takes a free block; the lock folder names the process, so that a crashed test's block is free again. */
export function takeAddressBlock(): AddressBlock {
  mkdirSync(LOCKS, { recursive: true });
  const routes = execFileSync("ip", ["-4", "route", "show", "table", "all"], { encoding: "utf8" });
  for (let tries = 0; tries < 500; tries++) {
    const second = 200 + Math.floor(Math.random() * 50);
    const third = 4 * Math.floor(Math.random() * 64);
    const taken = [0, 1, 2, 3].some(
      (n) => routes.includes(` 10.${second}.${third + n}.`) || routes.includes(`\n10.${second}.${third + n}.`),
    );
    const lock = join(LOCKS, `10.${second}.${third}`);
    if (!taken && takeLock(lock)) return blockAt(second, third, lock);
  }
  throw new Error("no free address block in 10.200.0.0-10.249.255.255 for a private Docker Engine");
}

export function blockOf(prefix: string): AddressBlock {
  const [, second, third] = prefix.split(".").map(Number);
  return blockAt(second ?? 0, third ?? 0, join(LOCKS, prefix));
}

function blockAt(second: number, third: number, lock: string): AddressBlock {
  return {
    prefix: `10.${second}.${third}`,
    subnet: (n) => `10.${second}.${third + n}.0/24`,
    address: (n, host) => `10.${second}.${third + n}.${host}`,
    lock,
  };
}

function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (isHeld(lock)) return false;
    rmSync(lock, { recursive: true, force: true });
    return false;
  }
  writeFileSync(join(lock, "pid"), String(process.pid));
  return true;
}

function isHeld(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, "pid"), "utf8")), 0);
    return true;
  } catch (error) {
    // ENOENT: its owner is between mkdir and write.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
