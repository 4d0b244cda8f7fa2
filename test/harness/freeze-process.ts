import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

const WITHIN_MS = 10_000;

/** SIGSTOP, and only then back: on a loaded host a thread may run on for a while after the signal was sent. */
export function freezeProcess(pid: number): void {
  process.kill(pid, "SIGSTOP");
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const from = performance.now();
  for (let states = statesOf(pid); states.some((state) => state !== "T"); states = statesOf(pid)) {
    assert.ok(
      performance.now() - from < WITHIN_MS,
      `process ${pid} does not stop: its threads are ${states.join(" ")}`,
    );
    Atomics.wait(cell, 0, 0, 1);
  }
}

/** One letter for each thread, as in proc(5); one that ends meanwhile is left out. */
function statesOf(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, "latin1");
      return stat.slice(stat.lastIndexOf(")") + 2)[0] ?? [];
    } catch (error) {
      if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
      throw error;
    }
  });
}
