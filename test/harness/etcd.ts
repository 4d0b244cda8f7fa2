/**
 * A private etcd cluster for one test file, on loopback: own data, ports and, if asked for, certificates and users. Any
 * number run at once on one machine. Ends with the test process, also by SIGKILL, and leaves nothing.
 *
 *     const etcd = await startEtcd({ members: 3 });
 *     after(() => etcd.stop());
 *     etcd.endpoints                       ["http://127.0.0.1:41001", …]
 *     etcd.members[0].kill9() / start() / freeze() / thaw()
 *     etcd.ctl("alarm", "list")            etcdctl against it
 */
import type { ChildProcess } from "node:child_process";
import { execFile, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freezeProcess } from "./freeze-process.ts";
import { makeSandbox, type Sandbox, waitForDaemon } from "./sandbox.ts";

export interface EtcdOptions {
  readonly members?: 1 | 3;
  /** PEM files: clients have to bring a certificate of this CA when `ask` is set. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string; readonly ask?: boolean };
  /** More words for every member. */
  readonly flags?: readonly string[];
}

export interface EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  readonly pid: () => number;
  kill9(): Promise<void>;
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

export interface Etcd {
  readonly dir: string;
  readonly members: readonly EtcdMember[];
  readonly endpoints: readonly string[];
  /** Runs etcdctl (API 3) on all members; gives its output. */
  ctl(...args: string[]): Promise<string>;
  /** The member that leads the others. */
  leader(): Promise<EtcdMember>;
  stop(): void;
}

/** Undefined when etcd can run here, else why not, in words. */
export function canRunEtcd(): string | undefined {
  const missing = ["etcd", "etcdctl"].filter((file) => spawnSync("which", [file]).status !== 0);
  return missing.length === 0 ? undefined : `needs ${missing.join(", ")} (apt-get install etcd-server etcd-client)`;
}

export async function startEtcd(options: EtcdOptions = {}): Promise<Etcd> {
  const sandbox = makeSandbox("etcd", () => ({ cgroups: [] }));
  try {
    const ports = await freePorts((options.members ?? 1) * 2);
    const etcd = new PrivateEtcd(sandbox, ports, options);
    await Promise.all(etcd.members.map((member) => member.start()));
    return etcd;
  } catch (error) {
    sandbox.stop();
    throw error;
  }
}

class PrivateEtcd implements Etcd {
  readonly dir: string;
  readonly members: readonly Member[];
  readonly #sandbox: Sandbox;
  readonly #options: EtcdOptions;

  constructor(sandbox: Sandbox, ports: readonly number[], options: EtcdOptions) {
    this.dir = sandbox.dir;
    this.#sandbox = sandbox;
    this.#options = options;
    const scheme = options.tls ? "https" : "http";
    const peers = Array.from({ length: ports.length / 2 }, (_, n) => ({
      name: `m${n + 1}`,
      endpoint: `${scheme}://127.0.0.1:${ports[2 * n]}`,
      peer: `http://127.0.0.1:${ports[2 * n + 1]}`,
    }));
    const cluster = peers.map(({ name, peer }) => `${name}=${peer}`).join(",");
    this.members = peers.map((each) => new Member(sandbox, { ...each, cluster }, options, this));
  }

  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  ctl(...args: string[]): Promise<string> {
    return this.ctlAt(this.endpoints, args);
  }

  async ctlAt(endpoints: readonly string[], args: readonly string[]): Promise<string> {
    const { tls } = this.#options;
    const secure = tls ? ["--cacert", tls.ca, "--cert", tls.cert, "--key", tls.key] : [];
    const words = ["--endpoints", endpoints.join(","), "--command-timeout=3s", "--dial-timeout=3s", ...secure, ...args];
    const { stdout } = await promisify(execFile)("etcdctl", words, { env: { ...process.env, ETCDCTL_API: "3" } });
    return stdout;
  }

  async leader(): Promise<EtcdMember> {
    for (const member of this.members) {
      const text = await this.ctlAt([member.endpoint], ["endpoint", "status", "-w", "json"]).catch(() => "[]");
      const [status] = JSON.parse(text) as { Status: { header: { member_id: number }; leader: number } }[];
      if (status && status.Status.header.member_id === status.Status.leader) return member;
    }
    throw new Error("no member of this etcd leads");
  }

  stop(): void {
    this.#sandbox.stop();
  }
}

interface MemberPlace {
  readonly name: string;
  readonly endpoint: string;
  readonly peer: string;
  readonly cluster: string;
}

class Member implements EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  readonly #sandbox: Sandbox;
  readonly #place: MemberPlace;
  readonly #options: EtcdOptions;
  readonly #etcd: PrivateEtcd;
  #child: ChildProcess | undefined;

  constructor(sandbox: Sandbox, place: MemberPlace, options: EtcdOptions, etcd: PrivateEtcd) {
    this.name = place.name;
    this.endpoint = place.endpoint;
    this.#sandbox = sandbox;
    this.#place = place;
    this.#options = options;
    this.#etcd = etcd;
  }

  async start(): Promise<void> {
    const { name, endpoint, peer, cluster } = this.#place;
    const { tls, flags } = this.#options;
    this.#child = this.#sandbox.spawn(name, [
      ...["etcd", "--name", name, "--data-dir", join(this.#sandbox.dir, `${name}.data`), "--log-level", "error"],
      ...["--listen-client-urls", endpoint, "--advertise-client-urls", endpoint],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster],
      ...(tls ? ["--cert-file", tls.cert, "--key-file", tls.key, "--trusted-ca-file", tls.ca] : []),
      ...(tls?.ask ? ["--client-cert-auth"] : []),
      ...(flags ?? []),
    ]);
    // With one member of three the cluster cannot answer yet: listening is enough.
    await waitForDaemon(this.#sandbox.dir, name, () => this.#answers());
  }

  pid(): number {
    return this.#child?.pid ?? 0;
  }

  async kill9(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    child.ref();
    await ended;
  }

  freeze(): void {
    freezeProcess(this.pid());
  }

  thaw(): void {
    process.kill(this.pid(), "SIGCONT");
  }

  async #answers(): Promise<boolean> {
    return this.#etcd.ctlAt([this.endpoint], ["endpoint", "status"]).then(
      () => true,
      () => false,
    );
  }
}

/** Taken together, so that no two of them are the same. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
