/** The lab's client of requests, against a server of this process. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { assertNoneFailed, lastTroubleMs, type TrafficReport, wordsOf } from "../lab/harness/traffic.ts";
import { freezeProcess } from "./freeze-process.ts";

const MAIN = join(import.meta.dirname, "../lab/harness/traffic-main.ts");
const TIMEOUT_MS = 400;

async function traffic(answer: RequestListener, work: (pid: number) => Promise<void>): Promise<TrafficReport> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const report = await ask(url, TIMEOUT_MS, work);
  server.close();
  server.closeAllConnections();
  return report;
}

async function ask(
  url: string,
  timeoutMs: number,
  work: (pid: number) => Promise<void>,
  everyMs = 5,
): Promise<TrafficReport> {
  const child = spawn(process.execPath, [MAIN, JSON.stringify({ url, everyMs, timeoutMs })], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let said = "";
  const begun = new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
  child.stdout.on("data", (data) => (said += data));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await begun;
  await work(child.pid ?? 0);
  child.stdin.end();
  await ended;
  return JSON.parse(said.trim().split("\n").at(-1) ?? "") as TrafficReport;
}

/** A server in a process of its own that takes two connections when it stands still: the kernel drops the first packets of others. */
async function smallServer(): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const code = `const server = require("node:http").createServer((_, response) => response.end("here"));
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  return { url: `http://127.0.0.1:${String(port).trim()}/`, child };
}

describe("traffic", () => {
  test("of a client that stood still for longer than it waits, what has been answered is no failure", async () => {
    // Later than it is asked, so that there are questions without an answer when it stops.
    const answer: RequestListener = (_, response) => void setTimeout(() => response.end("here"), 30);
    const report = await traffic(answer, async (pid) => {
      await delay(300);
      freezeProcess(pid);
      await delay(3 * TIMEOUT_MS);
      process.kill(pid, "SIGCONT");
      await delay(300);
    });
    assert.deepEqual(report.failures, []);
    assert.ok(report.requests > 20, String(report.requests));
  });

  test("what came through with its second packet only is said, and is no failure", async () => {
    const { url, child } = await smallServer();
    try {
      const freeze = async () => {
        await delay(300);
        freezeProcess(child.pid ?? 0);
        await delay(600);
        child.kill("SIGCONT");
        await delay(300);
      };
      // So slowly that those that come again find the two places free.
      const report = await ask(url, 20_000, freeze, 40);
      assertNoneFailed(report, "a server that stood still");
      const { secondTriesMs } = report;
      assert.ok(secondTriesMs.length >= 3 && secondTriesMs.length < report.requests, wordsOf(report));
      // What was asked before it stood still came through at once.
      assert.ok((secondTriesMs[0] ?? 0) >= 200, secondTriesMs.join(" "));
      assert.equal(lastTroubleMs(report), secondTriesMs.at(-1));
      assert.match(wordsOf(report), /^0 of \d+ failed, \d+ by a second packet, /);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("what is not answered in time is", async () => {
    let count = 0;
    const report = await traffic(
      (_, response) => void (++count % 10 === 0 || response.end("here")),
      () => delay(800),
    );
    assert.ok(report.failures.length >= 2, JSON.stringify(report));
    for (const { words } of report.failures) assert.equal(words, `no answer within ${TIMEOUT_MS} ms`);
  });
});
