import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { serverFlags } from "../../lib/launcher.ts";
import type { CrowdOrder } from "../crowd.ts";
import type { BenchServer } from "./bench-server.ts";

const PER_CROWD = 1_250;
const PATIENCE_MS = 300_000;
const FILE = join(import.meta.dirname, "../crowd.ts");

export interface Crowd {
  stop(): void;
}

/** Agents in processes of their own; resolves when all are ready. */
export async function gatherCrowd(
  server: BenchServer,
  agents: number,
  { reports }: Pick<CrowdOrder, "reports">,
): Promise<Crowd> {
  const crowds: ChildProcess[] = [];
  const stop = () => {
    for (const crowd of crowds) crowd.kill("SIGKILL");
  };
  try {
    const orders: CrowdOrder[] = [];
    for (let first = 0; first < agents; first += PER_CROWD) {
      const count = Math.min(PER_CROWD, agents - first);
      orders.push({ server: server.url, state: server.state, first, count, reports });
    }
    await Promise.all(orders.map((order) => start(order, crowds)));
    const ready = async () => (await server.metric('styr_nodes{state="ready"}')) >= agents;
    await until(`${agents} agents are ready`, ready);
    return { stop };
  } catch (error) {
    stop();
    throw error;
  }
}

async function start(order: CrowdOrder, crowds: ChildProcess[]): Promise<void> {
  const argv = [...serverFlags(), FILE, JSON.stringify(order)];
  const crowd = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
  crowds.push(crowd);
  await once(createInterface(crowd.stdout), "line");
}

export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
    await delay(500);
  }
}
