/** A second host from its first line to its last, as people do it: by commands alone. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../harness/registry.ts";

const STYR = join(import.meta.dirname, "../../launcher/styr");
const skip = process.geteuid?.() === 0 ? false : "NOT RUN: needs root";
/** It runs in the network of the machine, with other tests. */
const ALONE = ["--no-cluster-network"];

describe("a second host", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "styr-join-"));
  const [first, second] = [join(folder, "first"), join(folder, "second")];
  const children: ChildProcess[] = [];
  let heard = "";
  let line: readonly string[];
  /** Nobody else on this machine sleeps for so long. */
  let sleeps = "";
  let place: readonly string[];

  const start = (...words: readonly string[]): ChildProcess => {
    const child = spawn(STYR, [...words], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (data) => (heard += data));
    child.stderr.on("data", (data) => (heard += data));
    children.push(child);
    return child;
  };
  const ended = (child: ChildProcess) =>
    child.exitCode === null && child.signalCode === null
      ? new Promise<void>((resolve) => child.once("close", () => resolve()))
      : Promise.resolve();
  const styr = async (...words: readonly string[]) => {
    const child = spawn(STYR, [...words], { stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.on("data", (data) => (out += data));
    child.stderr.on("data", (data) => (err += data));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, out, err };
  };
  const ask = async (...words: readonly string[]) => {
    const { code, out, err } = await styr("--server", `unix://${first}/styr.sock`, ...words);
    assert.equal(code, 0, `${words.join(" ")}: ${err}`);
    return out;
  };
  const until = async (what: string, holds: () => Promise<boolean> | boolean): Promise<number> => {
    const beganMs = performance.now();
    while (!(await holds())) {
      assert.ok(performance.now() - beganMs < 60_000, `${what}; what was said: ${heard}`);
      await delay(50);
    }
    return performance.now() - beganMs;
  };
  const isReady = async () => /^far +ready/m.test(await ask("nodes"));
  const pids = () =>
    readdirSync("/proc").filter((pid) => {
      if (!/^\d+$/.test(pid) || !existsSync(`/proc/${pid}/cmdline`)) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8") === `sleep\0${sleeps}\0`;
      } catch (error) {
        if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
        throw error;
      }
    });

  before(async () => {
    const port = await freePort();
    sleeps = `9${port}${process.pid}`;
    const name = `join${process.pid}`;
    place = ["--state", second, "--network", name, "--cgroup", name, "--pod-range", "10.213.77.0/24"];
    const at = `127.0.0.1:${port}`;
    start("server", "--state", first, "--listen", at, "--advertise", at, "--node-name", "near");
    await until("the server is up", () => heard.includes("the server is up"));
  });

  after(async () => {
    if (existsSync(second)) await styr("uninstall", "--yes", "--force", ...place);
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map(ended));
    rmSync(folder, { recursive: true, force: true });
  });

  test("joins with the line that the first one prints, and is ready within seconds", async (t) => {
    let out = "";
    await until("the CA is written down", async () => {
      const made = await styr("--server", `unix://${first}/styr.sock`, "token", "create", "--role", "agent");
      out = made.out;
      return made.code === 0;
    });
    assert.match(
      out,
      /^(?:npx )?styr join https:\/\/127\.0\.0\.1:\d+ --token styr1\.agent\.[\w.-]+\n$/,
      "the line and nothing else",
    );
    line = [
      ...out.trim().replace("npx ", "").split(" ").slice(1),
      ...place,
      "--node-name",
      "far",
      "--no-install",
      ...ALONE,
    ];
    start(...line);
    const tookMs = await until("the node is ready", isReady);
    t.diagnostic(`from styr join to Ready: ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < 20_000);
    const [title = "", row = ""] = (await ask("token", "list")).split("\n");
    assert.match(title, /^ID +ROLE +STATE +EXPIRES +USED +BY +MADE BY$/);
    assert.match(row, /^\S+ +agent +used up +in \d+[hms].* +1 of 1 +far +\S+$/);
  });

  test("runs pods, and they notice nothing of a change of the CA", async () => {
    mkdirSync(join(folder, "files"));
    const app = { id: "/far", cmd: `exec sleep ${sleeps}`, cpus: 0.01, mem: 16, instances: 2 };
    writeFileSync(join(folder, "files/app.json"), JSON.stringify(app));
    await ask("apply", "-f", join(folder, "files/app.json"));
    const before = pids();
    assert.equal(before.length, 2);
    const hash = async () =>
      (JSON.parse(await ask("ca", "show", "-o", "json")) as { authorities: { hash: string }[] }).authorities;
    const [old] = await hash();
    await ask("ca", "rotate");
    await until("the old CA is gone", async () => {
      const now = await hash();
      return now.length === 1 && now[0]?.hash !== old?.hash;
    });
    await until("the node is ready", isReady);
    assert.deepEqual(pids(), before);
  });

  test("whose agent was killed takes up what runs, by the same line", async () => {
    const before = pids();
    const agent = children.at(-1);
    agent?.kill("SIGKILL");
    if (agent) await ended(agent);
    heard = "";
    start(...line);
    await until("it says that it has joined already", () => heard.includes("part of the cluster already, as far"));
    await until("the agent is up", () => heard.includes("is up"));
    await until("the node is ready", isReady);
    assert.deepEqual(pids(), before);
  });

  test("is taken out by styr uninstall, which leaves nothing and tells the cluster", async () => {
    const asked = await styr("uninstall", ...place);
    assert.equal(asked.code, 1, "without somebody to ask nothing is removed");
    assert.equal(pids().length, 2);
    const { code, out, err } = await styr("uninstall", "--yes", ...place);
    assert.equal(code, 0, err);
    assert.match(out, /this host leaves its cluster, where it is the agent far/);
    assert.match(out, /the cluster knows that far has left/);
    assert.deepEqual(pids(), []);
    assert.ok(!existsSync(second), "the state directory is gone");
    assert.doesNotMatch(await ask("nodes"), /far/);
    assert.match((await styr(...line)).err, /does not show the CA.*styr token create/s, "the CA was changed since");
  });
});
