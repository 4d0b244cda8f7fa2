/** `styr server` as the launcher starts it, in a folder of its own, with plain HTTP and /metrics on loopback for the benchmark. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { serverEnvironment, serverFlags } from "../../lib/launcher.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");
const START_MS = 60_000;

export interface BenchServer {
  readonly pid: number;
  readonly state: string;
  readonly url: string;
  readonly http: string;
  /** A metric's value, its labels as they are written; 0 when it is not there. */
  metric(line: string): Promise<number>;
  kill(): Promise<void>;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
}

export async function startServer(more: readonly string[] = []): Promise<BenchServer> {
  const state = mkdtempSync(join(tmpdir(), "styr-bench-"));
  const [tls, plain] = [await freePort(), await freePort()];
  const words = ["server", "--state", state, "--listen", `127.0.0.1:${tls}`, "--http", `127.0.0.1:${plain}`, ...more];
  const child = spawn(process.execPath, [...serverFlags("server"), MAIN, ...words], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...serverEnvironment() },
  });
  const http = `http://127.0.0.1:${plain}`;
  const server = new SpawnedServer(child, { state, url: `https://127.0.0.1:${tls}`, http });
  await answers(server, child);
  return server;
}

class SpawnedServer implements BenchServer {
  readonly pid: number;
  readonly state: string;
  readonly url: string;
  readonly http: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, at: { readonly state: string; readonly url: string; readonly http: string }) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.state = at.state;
    this.url = at.url;
    this.http = at.http;
  }

  async metric(line: string): Promise<number> {
    const text = await (await fetch(`${this.http}/metrics`)).text();
    const found = text.split("\n").find((one) => one.startsWith(`${line} `));
    return Number(found?.slice(line.length + 1) ?? 0);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.state, { recursive: true, force: true });
  }
}

async function answers(server: BenchServer, child: ChildProcess): Promise<void> {
  const until = performance.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode} before it answered`);
    const answer = await fetch(`${server.http}/styr/v1/version`).catch((error: Error) => error);
    if (answer instanceof Response && answer.ok) return;
    if (performance.now() > until)
      throw new Error(`the server did not answer within ${START_MS} ms: ${String(answer)}`);
    await delay(100);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, "close");
  return port;
}
