/**
 * Several real hosts on one machine, for a test: each has its own namespaces, cgroups, address, disks and Docker Engine, on a switch that
 * the test has an address on too. Everything goes when the test is done, fails or is killed. docs/lab.md says what it can do.
 *
 *     const lab = await Lab.open({ hosts: [{ diskBytes: 256 * MiB }, {}, {}] });
 *     await startEngine(lab.host(2));
 *     await lab.close();
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AddressBlock, takeAddressBlock } from "../../harness/address-block.ts";
import { canRunLab } from "./can-run-lab.ts";
import { Fabric } from "./fabric.ts";
import { Host, type HostOptions } from "./host.ts";
import { cgroupPrefix, LAB_FOLDER, leftOfLab, noteLab, sweepLab, sweepStaleLabs } from "./sweep-lab.ts";

export interface LabOptions {
  readonly hosts: readonly HostOptions[];
}

export class Lab {
  readonly id: string;
  readonly dir: string;
  readonly fabric: Fabric;
  readonly hosts: readonly Host[];
  readonly #block: AddressBlock;
  readonly #reaper: ChildProcess;

  static async open({ hosts }: LabOptions): Promise<Lab> {
    const reason = canRunLab();
    if (reason) throw new Error(reason);
    sweepStaleLabs();
    const lab = new Lab(hosts);
    try {
      lab.fabric.lay();
      const names = lab.hosts.map(({ address, name }) => `${address} ${name}\n`);
      const hostsFile = `127.0.0.1 localhost\n${names.join("")}`;
      for (const [at, host] of lab.hosts.entries()) host.build(hosts[at] ?? {}, hostsFile);
      await Promise.all(lab.hosts.map((host) => host.powerOn()));
      return lab;
    } catch (error) {
      lab.close();
      throw error;
    }
  }

  private constructor(hosts: readonly HostOptions[]) {
    this.id = randomBytes(3).toString("hex");
    this.#block = takeAddressBlock();
    this.dir = mkdtempSync(join(tmpdir(), LAB_FOLDER));
    noteLab(this.dir, this.id, this.#block.prefix);
    this.#reaper = startReaper(this.dir);
    const links = hosts.map(({ link = 0 }) => link);
    this.fabric = new Fabric(this.id, this.#block, links);
    this.hosts = Array.from({ length: hosts.length }, (_, at) => this.#host(at + 1));
  }

  #host(n: number): Host {
    const dir = join(this.dir, `h${n}`);
    mkdirSync(dir);
    return new Host({ n, dir, cgroup: `${cgroupPrefix(this.id)}h${n}`, fabric: this.fabric });
  }

  /** Counted from 1, as its name `h1` and the end of its address are. */
  host(n: number): Host {
    const host = this.hosts[n - 1];
    if (!host) throw new Error(`${basename(this.dir)} has no host ${n}`);
    return host;
  }

  /** Host `n` and these do not hear each other; in one direction only, if that is asked for. */
  cut(host: Host, others: readonly Host[], directions: readonly ("in" | "out")[] = ["in", "out"]): void {
    this.fabric.drop(
      host.n,
      others.map(({ n }) => n),
      directions,
    );
  }

  heal(host: Host): void {
    this.fabric.undrop(host.n);
    this.fabric.cable(host.n, true);
  }

  /** Takes everything away and fails with what could not be. Idempotent. */
  close(): void {
    sweepLab(this.dir);
    this.#reaper.kill("SIGKILL");
    const left = this.left();
    if (left.length > 0) throw new Error(`the lab left behind:\n${left.join("\n")}`);
  }

  /** What `leftOfLab` needs to know, and the process that sweeps after this one. */
  get note() {
    return { dir: this.dir, id: this.id, block: this.#block.prefix, sweeper: this.#reaper.pid ?? 0 };
  }

  /** What of it is on this machine. */
  left(): readonly string[] {
    return leftOfLab(this.dir, this.note);
  }
}

function startReaper(dir: string): ChildProcess {
  const reaper = spawn(process.execPath, [fileURLToPath(new URL("reap-lab.ts", import.meta.url)), dir], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  reaper.unref();
  (reaper.stdin as unknown as { unref(): void }).unref();
  return reaper;
}
