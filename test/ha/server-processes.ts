/** Several real `styr server` processes on a private etcd cluster, started, killed and frozen as hosts are. */
import type { ChildProcess } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Etcd, type EtcdMember, startEtcd } from "../harness/etcd.ts";
import { freezeProcess } from "../harness/freeze-process.ts";
import { freePort } from "../harness/registry.ts";
import { makeSandbox, type Sandbox, waitForDaemon } from "../harness/sandbox.ts";
import { type Answer, type Asked, ask, type Streamed, stream } from "./ask-server.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

export interface ServerProcess {
  readonly name: string;
  readonly url: string;
  readonly state: string;
  readonly pid: number;
  start(): Promise<void>;
  kill9(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Asks it to stop, and waits for its end. */
  end(): Promise<void>;
  call(asked: Asked): Promise<Answer>;
  stream(path: string): Promise<Streamed>;
  said(): string;
}

export interface ServerProcesses {
  readonly etcd: Etcd;
  readonly servers: readonly ServerProcess[];
  /** The one that leads, once all that run agree on it. */
  leader(): Promise<ServerProcess>;
  until(what: string, isSo: () => boolean): Promise<void>;
  stop(): void;
}

export async function startServers(count: number, flags: readonly string[] = []): Promise<ServerProcesses> {
  const etcd = await startEtcd({ members: 3 });
  const sandbox = makeSandbox("servers", () => ({ cgroups: [] }));
  const stop = () => {
    sandbox.stop();
    etcd.stop();
  };
  try {
    const servers: Process[] = [];
    for (let index = 1; index <= count; index++) {
      const server = new Process(sandbox, { name: `s${index}`, port: await freePort(), etcd: etcd.members, flags });
      const [first] = servers;
      if (first) shareIdentity(first.state, server.state);
      await server.start();
      servers.push(server);
      // Its keys are made by then.
      if (index === 1) await leaderOf(servers);
    }
    return { etcd, servers, stop, until, leader: () => leaderOf(servers) };
  } catch (error) {
    stop();
    throw error;
  }
}

/** What `styr join` with a server's token brings. */
function shareIdentity(from: string, to: string): void {
  mkdirSync(join(to, "pki"), { recursive: true, mode: 0o700 });
  for (const file of ["ca.crt", "ca.key", "master.key", "admin.token"])
    copyFileSync(join(from, "pki", file), join(to, "pki", file));
}

interface About {
  readonly name: string;
  readonly port: number;
  readonly etcd: readonly EtcdMember[];
  readonly flags: readonly string[];
}

class Process implements ServerProcess {
  readonly name: string;
  readonly url: string;
  readonly state: string;
  readonly #sandbox: Sandbox;
  readonly #about: About;
  #child: ChildProcess | undefined;

  constructor(sandbox: Sandbox, about: About) {
    this.name = about.name;
    this.url = `https://127.0.0.1:${about.port}`;
    this.state = join(sandbox.dir, about.name);
    this.#sandbox = sandbox;
    this.#about = about;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async start(): Promise<void> {
    const { port, etcd, flags } = this.#about;
    const store = `etcd://${etcd.map(({ endpoint }) => endpoint.replace(/^https?:\/\//, "")).join(",")}`;
    const words = ["server", "--state", this.state, "--node-name", this.name, "--listen", `127.0.0.1:${port}`];
    const place = existsSync(join(this.state, "place.json")) ? [] : ["--store", store];
    const argv = [process.execPath, MAIN, ...words, "--advertise", `127.0.0.1:${port}`, ...place, ...flags];
    this.#child = this.#sandbox.spawn(this.name, argv);
    await waitForDaemon(this.#sandbox.dir, this.name, async () => {
      if (!this.runs) throw new Error(`server ${this.name} ended:\n${this.said()}`);
      return (await this.call({ path: "/styr/v1/version" }).catch(() => undefined))?.status === 200;
    });
  }

  async kill9(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#gone();
  }

  freeze(): void {
    freezeProcess(this.pid);
  }

  thaw(): void {
    process.kill(this.pid, "SIGCONT");
  }

  async end(): Promise<void> {
    this.#child?.kill("SIGTERM");
    await this.#gone();
  }

  call(asked: Asked): Promise<Answer> {
    return ask(this.url, this.state, asked);
  }

  stream(path: string): Promise<Streamed> {
    return stream(this.url, this.state, path);
  }

  said(): string {
    return readFileSync(join(this.#sandbox.dir, `${this.name}.log`), "utf8");
  }

  async #gone(): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (this.runs) {
      if (performance.now() > deadline) throw new Error(`server ${this.name} does not end:\n${this.said()}`);
      await sleep(10);
    }
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await sleep(10);
  }
}

async function leaderOf(servers: readonly Process[]): Promise<ServerProcess> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    for (const server of servers.filter(({ runs }) => runs)) {
      const answer = await server.call({ path: "/styr/v1/servers" }).catch(() => undefined);
      const rows = answer?.status === 200 ? (JSON.parse(answer.text).servers as { name: string; state: string }[]) : [];
      const name = rows.find(({ state }) => state === "leads")?.name;
      const leader = servers.find((one) => one.name === name);
      if (leader?.runs) return leader;
    }
    if (performance.now() > deadline)
      throw new Error(`no server leads:\n${servers.map((server) => server.said()).join("\n")}`);
    await sleep(50);
  }
}
