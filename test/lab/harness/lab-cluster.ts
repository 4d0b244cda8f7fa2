/** A whole cluster in a lab: control planes on hosts with etcd, and hosts with engines that joined them. */
import { join } from "node:path";
import { type TestImage, testImages } from "../../harness/images.ts";
import { type Registry, startRegistry } from "../../harness/registry.ts";
import { LabClient } from "./client.ts";
import { startEngine } from "./engines.ts";
import { startMember, storeUrl, waitForMember } from "./etcd.ts";
import type { LinkNumber } from "./fabric.ts";
import type { Host } from "./host.ts";
import { Lab } from "./lab.ts";
import { type PodSeen, podsOf } from "./pods.ts";
import { copyProgram, type Program } from "./program.ts";
import { mustStyr, STYR, startStyr, styr } from "./styr.ts";
import { until } from "./wait.ts";

/** Room for an etcd member's log, which takes 64 MiB at a time, and for what a server keeps. */
const SERVER_DISK = 512 * 2 ** 20;

export interface NodeSeen {
  readonly name: string;
  readonly state: string;
  readonly version: string;
}

interface ServerSeen {
  readonly name: string;
  readonly state: string;
}

export interface LabClusterSizes {
  readonly servers: number;
  readonly agents: number;
  /** Of the agents' hosts. */
  readonly links?: readonly LinkNumber[];
  /** Beside those that all tests have. */
  readonly images?: readonly TestImage[];
}

export class LabCluster {
  readonly lab: Lab;
  readonly servers: readonly Host[];
  readonly agents: readonly Host[];
  readonly registry: Registry;
  readonly #programs = new Map<Host, Program>();
  readonly #first: Program;
  #client: LabClient | undefined;

  static async open(sizes: LabClusterSizes): Promise<LabCluster> {
    const hosts = [
      ...Array.from({ length: sizes.servers }, () => ({ diskBytes: SERVER_DISK })),
      ...Array.from({ length: sizes.agents }, (_, at) => ({ link: sizes.links?.[at] ?? 0 })),
    ];
    const lab = await Lab.open({ hosts });
    try {
      const registry = await startRegistry(lab.fabric.testAddress);
      await registry.putImages([...testImages(), ...(sizes.images ?? [])]);
      return new LabCluster(lab, sizes.servers, registry);
    } catch (error) {
      lab.close();
      throw error;
    }
  }

  private constructor(lab: Lab, servers: number, registry: Registry) {
    this.lab = lab;
    this.servers = lab.hosts.slice(0, servers);
    this.agents = lab.hosts.slice(servers);
    this.registry = registry;
    this.#first = copyProgram(join(lab.dir, "program"));
  }

  close(): void {
    this.#client?.close();
    this.registry.stop();
    this.lab.close();
  }

  get client(): LabClient {
    if (!this.#client) throw new Error("nobody has signed in");
    return this.#client;
  }

  /** As an administrator with a token that every server knows; the one in `pki/` is its own server's. */
  async signIn(): Promise<void> {
    await this.#insist("user", "create", "lab", "--role", "admin");
    const token = (await this.#insist("user", "token", "create", "lab")).trim();
    this.#client = new LabClient(this.server, token);
  }

  /** The first server. */
  get server(): Host {
    return this.lab.host(1);
  }

  programOf(host: Host): Program {
    return this.#programs.get(host) ?? this.#first;
  }

  /** What the host runs from its next start on. */
  setProgram(host: Host, program: Program): void {
    this.#programs.set(host, program);
  }

  get store(): string {
    return storeUrl(this.servers);
  }

  /** `styr token create` on the first server, and from the line that it prints the address and the token. */
  async tokenFor(role: "agent" | "server", uses = 1): Promise<readonly [string, string]> {
    const words = ["token", "create", "--role", role, "--ttl", "1h", ...(uses > 1 ? ["--uses", String(uses)] : [])];
    const said = await this.#insist(...words);
    const [, url, token] = /styr join (https:\S+) --token (\S+)/.exec(said) ?? [];
    if (!url || !token) throw new Error(`no line to paste in:\n${said}`);
    return [url, token];
  }

  /** A first server says that it is up a moment before it leads. */
  async #insist(...words: readonly string[]): Promise<string> {
    let ended = { code: 1, stdout: "", stderr: "" };
    const isDone = async () => {
      ended = await styr(this.server, this.programOf(this.server), words);
      return ended.code === 0;
    };
    await until(`styr ${words.slice(0, 2).join(" ")} succeeds`, isDone, { withinMs: 15_000, seen: () => ended.stderr });
    return ended.stdout;
  }

  startEngines(hosts: readonly Host[] = this.agents): Promise<unknown> {
    return Promise.all(hosts.map((host) => startEngine(host, { mirror: this.registry.url })));
  }

  /** Pastes the line on a host. */
  join(host: Host, url: string, token: string, ...more: readonly string[]): Promise<number> {
    return startStyr(host, this.programOf(host), ["join", url, "--token", token, "--no-install", ...more]);
  }

  /** What a service manager starts on a host that has joined: its etcd member, its engine, its styr. */
  async boot(host: Host): Promise<void> {
    if (this.servers.includes(host)) {
      startMember(host, this.servers);
      await this.startServer(host);
    } else {
      await this.startEngines([host]);
      await this.startAgent(host);
    }
  }

  /** What the first start was told is remembered. */
  startServer(host: Host): Promise<number> {
    return startStyr(host, this.programOf(host), ["server"], { withinMs: 120_000 });
  }

  startAgent(host: Host): Promise<number> {
    return startStyr(host, this.programOf(host), ["agent", "--no-install"]);
  }

  /** Ends styr on a host, as `systemctl restart` does, and starts it again with the program that it is given. */
  async restart(host: Host): Promise<void> {
    await host.signal(STYR, "SIGTERM");
    if (this.servers.includes(host)) await this.startServer(host);
    else await this.startAgent(host);
  }

  async membersHealthy(): Promise<void> {
    for (const host of this.servers) await waitForMember(host);
  }

  async nodes(from: Host = this.server): Promise<readonly NodeSeen[]> {
    return (await this.client.must<{ nodes: NodeSeen[] }>(from, "/styr/v1/nodes")).nodes;
  }

  async stateOf(host: Host, from: Host = this.server): Promise<string> {
    return (await this.nodes(from)).find(({ name }) => name === host.name)?.state ?? "unknown";
  }

  untilReady(hosts: readonly Host[], from: Host = this.server, withinMs = 60_000): Promise<number> {
    const names = hosts.map(({ name }) => name);
    const check = async () => {
      const rows = await this.nodes(from);
      return names.every((name) => rows.some((row) => row.name === name && row.state === "ready"));
    };
    return until(`${names.join(", ")} ready`, check, { withinMs, seen: () => this.words("nodes") });
  }

  /** `styr ARGS…` on the first server; anything but success throws. */
  command(...args: readonly string[]): Promise<string> {
    return mustStyr(this.server, this.programOf(this.server), args);
  }

  /** `styr apply` on the first server, of any dialect; does not wait until it runs. */
  async apply(text: string, ...options: readonly string[]): Promise<void> {
    const words = ["apply", "-f", "-", "--no-wait", ...options];
    await mustStyr(this.server, this.programOf(this.server), words, { input: text });
  }

  /** What a command prints on the first server that runs, for messages. */
  async words(...args: readonly string[]): Promise<string> {
    const host = this.servers.find((server) => server.isOn && server.runs(STYR)) ?? this.server;
    const { stdout, stderr } = await host.run([this.programOf(host).styr, ...args]);
    return stdout + stderr;
  }

  /** The server that leads, by the word of any that answers; undefined while nobody knows one. */
  async leader(among: readonly Host[] = this.servers): Promise<Host | undefined> {
    for (const host of among.filter((one) => one.isOn)) {
      const said = await this.#serversBy(host);
      const name = said.find((row) => row.state === "leads")?.name;
      if (name !== undefined) return this.servers.find((one) => one.name === name);
    }
    return undefined;
  }

  async #serversBy(host: Host): Promise<readonly ServerSeen[]> {
    try {
      const { servers = [] } = await this.client.must<{ servers?: ServerSeen[] }>(host, "/styr/v1/status");
      return servers;
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return [];
    }
  }

  /** The last words of what should run and does not, for whoever reads a failure. */
  lastWords(): string {
    const silent = this.lab.hosts.filter((host) => host.wasStarted(STYR) && !host.runs(STYR));
    return silent.map((host) => `styr of ${host.name} ended:\n${host.log(STYR).slice(-4000)}`).join("\n");
  }

  pods(app?: string, from: Host = this.server): Promise<readonly PodSeen[]> {
    return podsOf(this.client, from, app);
  }

  /** Makes it through the Kubernetes API of a server. */
  async create(object: string, from: Host = this.server): Promise<void> {
    const body = JSON.parse(object) as { kind: string };
    await this.client.must(from, "/api/v1/namespaces/default/replicationcontrollers", { method: "POST", body });
  }

  async scale(name: string, replicas: number, from: Host = this.server): Promise<void> {
    const path = `/api/v1/namespaces/default/replicationcontrollers/${name}`;
    const object = await this.client.must<{ spec: object }>(from, path);
    await this.client.must(from, path, { method: "PUT", body: { ...object, spec: { ...object.spec, replicas } } });
  }

  async remove(name: string, from: Host = this.server): Promise<void> {
    const path = `/api/v1/namespaces/default/replicationcontrollers/${name}?propagationPolicy=Background`;
    await this.client.must(from, path, { method: "DELETE" });
    await until(`${name} is gone`, async () => (await this.pods(name, from)).length === 0, {
      seen: () => this.words("ps"),
    });
  }
}
