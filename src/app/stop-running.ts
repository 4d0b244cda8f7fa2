import { existsSync } from "node:fs";
import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { answers } from "./listen.ts";

const DEADLINE_MS = 30_000;

/** Asks the styr behind this socket to stop, as what it runs is taken down, and waits until its process is gone. False when none is running. */
export async function stopRunning(socketPath: string): Promise<boolean> {
  if (!(await answers(socketPath))) return false;
  const pid = await askToStop(socketPath);
  const deadline = performance.now() + DEADLINE_MS;
  while (existsSync(`/proc/${pid}`)) {
    if (performance.now() > deadline)
      throw new Error(
        `styr (process ${pid}) did not stop within ${DEADLINE_MS / 1000} s; stop it by hand, then run styr down again`,
      );
    await delay(50);
  }
  return true;
}

const CUT =
  "styr ended while it was asked to stop: another styr down may be at it; run styr down again, which goes on where that one ends";

function isCut({ code = "" }: NodeJS.ErrnoException): boolean {
  return ["ECONNRESET", "ECONNREFUSED", "ENOENT", "EPIPE"].includes(code);
}

function askToStop(socketPath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, method: "POST", path: "/styr/v1/stop?for=down", timeout: DEADLINE_MS },
      async (response) => {
        const body = (await response.setEncoding("utf8").toArray()).join("");
        if (response.statusCode === 202) resolve((JSON.parse(body) as { pid: number }).pid);
        else reject(new Error(`the running styr refused to stop: ${body}`));
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`the running styr does not answer on ${socketPath}`)));
    asked.on("error", (error) => reject(isCut(error) ? new Error(CUT, { cause: error }) : error));
    asked.end();
  });
}
