/** Several `styr server`s in one process, on a real etcd, with a harmful proxy on every way between them and to etcd. */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LateNodeAccess } from "../../src/app/late-node-access.ts";
import { ServerHalf } from "../../src/app/server/server-half.ts";
import { readSettings } from "../../src/app/settings.ts";
import { beginProcess, type StyrProcess } from "../../src/app/styr-process.ts";
import type { Etcd } from "../harness/etcd.ts";
import { type FaultProxy, startFaultProxy } from "../harness/fault-proxy.ts";
import { freePort } from "../harness/registry.ts";
import { type Answer, type Asked, ask, type Streamed, stream } from "./ask-server.ts";

export interface HalfHere {
  readonly name: string;
  readonly process: StyrProcess;
  readonly half: ServerHalf;
  /** What it has said to people. */
  readonly said: readonly string[];
  call(asked: Asked): Promise<Answer>;
  stream(path: string): Promise<Streamed>;
  stop(): Promise<void>;
}

export class HalvesHere {
  readonly halves: HalfHere[] = [];
  readonly proxies: FaultProxy[] = [];
  readonly #dir: string;
  readonly #etcd: Etcd;

  static async open(count: number, etcd: Etcd): Promise<HalvesHere> {
    const cluster = new HalvesHere(await mkdtemp(join(tmpdir(), "styr-halves-")), etcd);
    for (let index = 1; index <= count; index++) await cluster.#add(`s${index}`);
    return cluster;
  }

  private constructor(dir: string, etcd: Etcd) {
    this.#dir = dir;
    this.#etcd = etcd;
  }

  mend(): void {
    for (const proxy of this.proxies) proxy.mend();
  }

  async stop(): Promise<void> {
    this.mend();
    await Promise.all(this.halves.map((half) => half.stop()));
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #add(name: string): Promise<void> {
    const state = join(this.#dir, name);
    await this.#shareKeys(state);
    const port = await freePort();
    const ports = this.#etcd.endpoints.map((endpoint) => Number(new URL(endpoint).port));
    const ways = await Promise.all([port, ...ports].map((target) => startFaultProxy(target)));
    this.proxies.push(...ways);
    const [own, ...members] = ways.map((way) => `127.0.0.1:${way.port}`);
    const store = `etcd://${members.join(",")}`;
    const listen = `127.0.0.1:${port}`;
    const settings = readSettings({ state, nodeName: name, store, listen, advertise: String(own) }, {}, 0);
    const said: string[] = [];
    const io = { say: (line: string) => void said.push(line), signal: new AbortController().signal };
    const process = await beginProcess(settings, io);
    const half = await ServerHalf.open({ process, newStore: false, nodeAccess: new LateNodeAccess() });
    await half.start();
    // Its keys are made by then.
    while (!existsSync(join(state, "pki/master.key"))) await sleep(20);
    this.halves.push({
      ...{ name, process, half, said },
      call: (asked) => ask(`https://${listen}`, state, asked),
      stream: (path) => stream(`https://${listen}`, state, path),
      stop: async () => {
        process.stopping.abort();
        await half.stopListening();
        await half.stop();
      },
    });
  }

  async #shareKeys(state: string): Promise<void> {
    await mkdir(join(state, "pki"), { recursive: true });
    if (this.halves.length === 0) return;
    for (const file of ["ca.crt", "ca.key", "admin.token", "master.key"])
      await cp(join(this.#dir, "s1", "pki", file), join(state, "pki", file));
  }
}
