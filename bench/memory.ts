/** Memory of the one-node process with 0, 100 and 1,000 pods that run, started with the flags that the launcher gives `styr up`. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Pool } from "undici";
import { serverEnvironment, serverFlags } from "./lib/launcher.ts";
import { printTable } from "./lib/table.ts";

const STEPS = [0, 100, 1000];
const AIM_MIB = { 100: 120 } as const;
/** Until the collector has given back what starting took. */
const QUIET_MS = 8000;

interface Reading {
  readonly rss: number;
  readonly heapTotal: number;
  readonly external: number;
}

export async function benchMemory(): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), "styr-bench-"));
  for (const name of ["agent", "volumes", "pods", "logs"]) mkdirSync(join(state, name));
  try {
    // Once to fill the compile cache, as the second start of any program does.
    for (const isMeasured of [false, true]) {
      const rows = await measure(state, isMeasured ? STEPS : [0]);
      if (isMeasured)
        printTable("Memory of the one-node process, MiB", ["pods running", "RSS", "JS heap", "external", "aim"], rows);
    }
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

async function measure(state: string, steps: readonly number[]): Promise<readonly (readonly (string | number)[])[]> {
  const child = spawn(
    process.execPath,
    [...serverFlags(), fileURLToPath(new URL("./lib/one-node.ts", import.meta.url)), state],
    {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...serverEnvironment() },
    },
  );
  const lines = createInterface(child.stdout);
  const [url] = (await once(lines, "line")) as [string];
  const pool = new Pool(url, { connections: 8 });
  const rows: (string | number)[][] = [];
  let made = 0;
  for (const count of steps) {
    const names = Array.from({ length: count - made }, (_, at) => made + at);
    await Promise.all(names.map((at) => post(pool, at)));
    made = count;
    await untilRunning(pool, count);
    await delay(QUIET_MS);
    const { rss, heapTotal, external } = await read(child, lines);
    const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
    rows.push([count, mib(rss), mib(heapTotal), mib(external), AIM_MIB[count as 100] ?? ""]);
  }
  await pool.close();
  child.stdin.end();
  await once(child, "exit");
  return rows;
}

async function post(pool: Pool, at: number): Promise<void> {
  const resources = { requests: { cpu: "1m", memory: "1Mi" } };
  const containers = [{ name: "main", image: "nginx:1", ports: [{ containerPort: 80 }], resources }];
  const body = JSON.stringify({ metadata: { name: `web-${at}`, labels: { app: "web" } }, spec: { containers } });
  const headers = { "content-type": "application/json" };
  const answer = await pool.request({ method: "POST", path: "/api/v1/namespaces/default/pods", headers, body });
  const text = await answer.body.text();
  if (answer.statusCode !== 201) throw new Error(text);
}

/** Asked for by a field, so that little is sent: reading must not be what is measured. */
async function untilRunning(pool: Pool, count: number): Promise<void> {
  const path = "/api/v1/namespaces/default/pods?fieldSelector=status.phase!=Running&limit=1";
  for (;;) {
    const { body } = await pool.request({ method: "GET", path });
    const { items } = (await body.json()) as { items: readonly unknown[] };
    if (items.length === 0) return;
    await delay(200);
    if (count < 0) return;
  }
}

async function read(
  child: ChildProcessByStdio<Writable, Readable, null>,
  lines: NodeJS.EventEmitter,
): Promise<Reading> {
  child.stdin.write("?\n");
  const [line] = (await once(lines, "line")) as [string];
  return JSON.parse(line) as Reading;
}

if (import.meta.main) await benchMemory();
