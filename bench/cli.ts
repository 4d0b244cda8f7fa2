/** The commands as people wait for them, launcher and all: `styr ps` from start to exit, and `styr apply` of 1,000 objects. */
import { type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenUnix } from "../src/app/listen.ts";
import { type ConfigMap, configMaps } from "../src/model/config-map.ts";
import { openPlane } from "./lib/plane.ts";
import { printTable } from "./lib/table.ts";

const STYR = join(import.meta.dirname, "../node_modules/.bin/styr");
const TIMES = 20;
const AIM_MS = 150;
const OBJECTS = 1000;

export async function benchCli(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "styr-bench-"));
  const { plane, close } = await openPlane(1);
  const socket = join(folder, "styr.sock");
  const server = await listenUnix(plane.mounted, socket);
  const styr = (...args: readonly string[]) => run(["--server", `unix://${socket}`, ...args]);
  try {
    // The first one fills the compile cache.
    for (const args of [["ps"], ["version"]]) await styr(...args);
    const rows = [];
    for (const command of ["ps", "version"]) rows.push(await row(`styr ${command}`, () => styr(command), AIM_MS));
    rows.push(await row("node -e 0, for comparison", () => run(["-e", "0"], process.execPath), ""));
    printTable(`Start to exit, ${TIMES} times`, ["", "least ms", "median ms", "most ms", "aim"], rows);

    const file = join(folder, "objects.yaml");
    writeFileSync(file, objects());
    const tookMs = await styr("apply", "-f", file, "--timeout", "120s");
    const stored = plane.store.count(configMaps);
    if (stored < OBJECTS) throw new Error(`styr apply stored ${stored} objects of ${OBJECTS}`);
    const againMs = await styr("apply", "-f", file, "--timeout", "120s");
    const rates = [tookMs, againMs].map((ms) => [(ms / 1000).toFixed(2), Math.round(OBJECTS / (ms / 1000))]);
    const what = ["made", "all there already"];
    printTable(
      `styr apply of one file with ${OBJECTS.toLocaleString("en")} ConfigMaps`,
      ["", "seconds", "objects/s"],
      rates.map((rate, at) => [what[at] ?? "", ...rate]),
    );
  } finally {
    await server.close();
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function row(name: string, once: () => Promise<number>, aim: number | ""): Promise<readonly (string | number)[]> {
  const times: number[] = [];
  for (let at = 0; at < TIMES; at++) times.push(await once());
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  return [name, ...[sorted[0] ?? 0, median, sorted.at(-1) ?? 0].map(Math.round), aim];
}

/** Milliseconds from start to exit; fails with what the command said when it did not end with 0. */
async function run(args: readonly string[], command = STYR): Promise<number> {
  const begun = performance.now();
  const options: SpawnOptions = { stdio: ["ignore", "pipe", "pipe"] };
  const child = spawn(command, args, options);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data: Buffer) => (said += data));
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${said}`);
  return performance.now() - begun;
}

function objects(): string {
  const one = (at: number): Pick<ConfigMap, "apiVersion" | "kind" | "metadata" | "data"> =>
    ({
      ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: `settings-${at}` } },
      data: { number: String(at), words: "some text that a setting could have" },
    }) as unknown as ConfigMap;
  return Array.from({ length: OBJECTS }, (_, at) => JSON.stringify(one(at))).join("\n---\n");
}

if (import.meta.main) await benchCli();
