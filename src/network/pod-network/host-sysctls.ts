/** Settings of the host's kernel without which pods do not reach each other: changed only where they have to be, and given back as they were. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, type Commands } from "../../seams/commands.ts";

interface Needed {
  readonly name: string;
  readonly value: string;
  readonly why: string;
  /** It is there only with this module. */
  readonly module?: string;
}

const NEEDED: readonly Needed[] = [
  { name: "net.ipv4.ip_forward", value: "1", why: "packets from and to pods are not passed on" },
  {
    name: "net.bridge.bridge-nf-call-iptables",
    value: "1",
    why: "a pod does not reach a Service whose endpoint is on the same host",
    module: "br_netfilter",
  },
];

const WAITING_BYTES = 4096;

/** rp_filter: a packet is dropped unless the way back leads through the device that it came by; */
const STRICT = 1;
/** or unless there is any way back. */
const LOOSE = 2;

export class HostSysctls {
  readonly #commands: Commands;
  readonly #path: string;

  constructor(commands: Commands, folder: string) {
    this.#commands = commands;
    this.#path = join(folder, "sysctls.json");
  }

  /** What could not be had, in words; what was changed is written down first. */
  async ensure(): Promise<readonly string[]> {
    const words: string[] = [];
    for (const needed of NEEDED) {
      const { value: present, noModule } = await this.#read(needed);
      if (present === needed.value) continue;
      if (present !== undefined) await this.#remember(needed.name, present);
      const { exitCode } = await this.#commands.run("sysctl", ["-qw", `${needed.name}=${needed.value}`]);
      if (exitCode === 0) continue;
      const why = `${needed.name} cannot be set to ${needed.value}: ${needed.why}`;
      words.push(noModule === undefined ? why : `${why}; ${noModule}`);
    }
    return words;
  }

  /**
   * What waits for an address that nobody has fills the sender's buffer, which may be that of the server of names: a few packets wait, not
   * a hundred. Docker makes the bridge anew with what is usual. A bridge that is not there yet is looked at again.
   */
  async shortenQueues(bridge: string): Promise<void> {
    await this.#commands.run("sysctl", ["-qw", `net/ipv4/neigh/${bridge}/unres_qlen_bytes=${WAITING_BYTES}`]);
  }

  /**
   * Devices of links with other hosts. While packets to a host go wrapped, its plain ones are tried: a strict filter drops them, and the two stay
   * wrapped for good. Of the device's setting and that of all the larger one counts. What could not be had, in words.
   */
  async loosen(devices: readonly string[]): Promise<readonly string[]> {
    const words: string[] = [];
    for (const device of devices) {
      const name = `net/ipv4/conf/${device}/rp_filter`;
      const { exitCode, stdout } = await this.#commands.run("sysctl", ["-n", "net/ipv4/conf/all/rp_filter", name]);
      const [all = 0, own = 0] = stdout.trim().split("\n").map(Number);
      if (exitCode !== 0 || Math.max(all, own) !== STRICT) continue;
      await this.#remember(name, String(own));
      const set = await this.#commands.run("sysctl", ["-qw", `${name}=${LOOSE}`]);
      if (set.exitCode !== 0)
        words.push(`${name} cannot be set to ${LOOSE}: hosts that were once reached by tunnels alone stay so`);
    }
    return words;
  }

  async restore(): Promise<void> {
    for (const [name, value] of Object.entries(await this.#before()))
      await this.#commands.run("sysctl", ["-qw", `${name}=${value}`]);
    await rm(this.#path, { force: true });
  }

  /** `noModule`: why the module that has it is not there, and what to do. */
  async #read({ name, module }: Needed): Promise<{ readonly value?: string; readonly noModule?: string }> {
    const { exitCode, stdout } = await this.#commands.run("sysctl", ["-n", name]);
    if (exitCode === 0) return { value: stdout.trim() };
    if (module === undefined) return {};
    const noModule = await this.#load(module);
    const again = await this.#commands.run("sysctl", ["-n", name]);
    if (again.exitCode === 0) return { value: again.stdout.trim() };
    return { noModule: noModule ?? `the kernel's module ${module} is loaded, and does not have it` };
  }

  async #load(module: string): Promise<string | undefined> {
    const cure = `load it (modprobe ${module}; at every start by /etc/modules-load.d), or have a kernel that has it`;
    try {
      const { exitCode, stderr } = await this.#commands.run("modprobe", [module]);
      if (exitCode === 0) return undefined;
      const said = stderr.trim().split("\n")[0]?.slice(0, 200) ?? "";
      return `the kernel's module ${module} is not there (${said || `modprobe ended with ${exitCode}`}): ${cure}`;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return `the kernel's module ${module} is not there (${error.message}): ${cure}`;
    }
  }

  async #remember(name: string, value: string): Promise<void> {
    const before = await this.#before();
    if (before[name] !== undefined) return;
    await mkdir(join(this.#path, ".."), { recursive: true, mode: 0o700 });
    await writeFile(this.#path, JSON.stringify({ ...before, [name]: value }), { mode: 0o600 });
  }

  async #before(): Promise<Readonly<Record<string, string>>> {
    try {
      return JSON.parse(await readFile(this.#path, "utf8")) as Record<string, string>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
      throw error;
    }
  }
}
