/** Several servers in one process on a journal in memory, with real sockets and certificates between them. */
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Listening, listenTls } from "../../src/app/listen.ts";
import { personalities } from "../../src/app/personalities.ts";
import { openPki, type Pki } from "../../src/app/pki.ts";
import type { ControlPlaneOptions } from "../../src/app/server/plane-options.ts";
import { SharedLife } from "../../src/app/server/shared-life.ts";
import { readSettings } from "../../src/app/settings.ts";
import type { NodeAccess } from "../../src/model/streams.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import type { SharedJournal } from "../../src/store/journal.ts";
import { SharedMemory } from "../../src/store/journals/shared-memory.ts";
import { type Answer, type Asked, ask, type Streamed, stream } from "./ask-server.ts";

export interface ServerHere {
  readonly name: string;
  readonly url: string;
  readonly life: SharedLife;
  readonly pki: Pki;
  /** Aborted when it has stopped by itself. */
  readonly stopping: AbortSignal;
  call(asked: Asked): Promise<Answer>;
  /** Resolves with what ends it, once the answer has begun. */
  stream(path: string): Promise<Streamed>;
  stop(): Promise<void>;
}

/** What else a server's plane is given. */
type More = (name: string, stateDir: string) => Partial<ControlPlaneOptions>;
/** What stands before a server's end of the journal. */
type Before = (journal: SharedJournal, name: string) => SharedJournal;

export class ServersHere {
  readonly memory = new SharedMemory(new SystemClock());
  readonly servers: ServerHere[] = [];
  readonly #dir: string;
  readonly #access: NodeAccess;
  readonly #more: More;
  readonly #before: Before;

  static async open(
    count: number,
    access: NodeAccess,
    more: More = () => ({}),
    before: Before = (journal) => journal,
  ): Promise<ServersHere> {
    const cluster = new ServersHere(await mkdtemp(join(tmpdir(), "styr-ha-")), access, more, before);
    for (let index = 1; index <= count; index++) await cluster.add(`s${index}`);
    await cluster.until("a server leads", () => cluster.leader !== undefined);
    return cluster;
  }

  private constructor(dir: string, access: NodeAccess, more: More, before: Before) {
    this.#dir = dir;
    this.#before = before;
    this.#more = more;
    this.#access = access;
  }

  /** Goes with the servers. */
  get folder(): string {
    return this.#dir;
  }

  get leader(): ServerHere | undefined {
    return this.servers.find(({ life }) => life.plane?.leads);
  }

  get followers(): readonly ServerHere[] {
    return this.servers.filter(({ life }) => life.plane && !life.plane.leads);
  }

  async add(name: string): Promise<ServerHere> {
    const clock = new SystemClock();
    const stateDir = join(this.#dir, name);
    await this.#shareCa(stateDir);
    const pki = await openPki(stateDir, clock.now(), { serverName: name });
    const port = await freePort();
    const url = `https://127.0.0.1:${port}`;
    const settings = readSettings({ state: stateDir }, {}, 0);
    const stopping = new AbortController();
    const life = await SharedLife.open({
      process: { clock, log: silentLog, io: { say: () => {}, signal: stopping.signal }, stopping, settings },
      plane: {
        ...{ clock, random: new SeededRandom(name), log: silentLog, personalities, version: "0.1.0" },
        ...{ nodeAccess: this.#access, localNode: "here", strategy: "spread" },
        ...{ address: `127.0.0.1:${port}`, hostname: name, serverName: name },
        ...this.#more(name, stateDir),
      },
      me: { name, url, version: "0.1.0" },
      openJournal: async () => this.#before(this.memory.open(), name),
      material: () => pki.peer,
    });
    const listening = await listenTls(life.mounted, pki, { host: "127.0.0.1", port });
    life.begin();
    const server: ServerHere = {
      ...{ name, url, life, pki, stopping: stopping.signal },
      call: (asked) => ask(url, stateDir, asked),
      stream: (path) => stream(url, stateDir, path),
      stop: () => this.#stop(server, listening),
    };
    this.servers.push(server);
    return server;
  }

  async stop(): Promise<void> {
    for (const server of [...this.servers]) await server.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async until(what: string, isSo: () => boolean | Promise<boolean>, mostMs = 10_000): Promise<void> {
    const deadline = performance.now() + mostMs;
    while (!(await isSo())) {
      if (performance.now() > deadline) throw new Error(`not within ${mostMs} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async #stop(server: ServerHere, listening: Listening): Promise<void> {
    this.servers.splice(this.servers.indexOf(server), 1);
    await server.life.handOver();
    await listening.close();
    await server.life.stop();
  }

  async #shareCa(stateDir: string): Promise<void> {
    await mkdir(join(stateDir, "pki"), { recursive: true });
    if (this.servers.length === 0) return;
    for (const file of ["ca.crt", "ca.key", "admin.token"])
      await cp(join(this.#dir, "s1", "pki", file), join(stateDir, "pki", file));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await new Promise((closed) => server.close(closed));
  return port;
}
