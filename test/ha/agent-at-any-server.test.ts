/** An agent that has joined a cluster of three servers: its pods' logs, commands and ports at every one of them. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Ran, styr } from "../cli/run-styr.ts";
import { canRunEtcd } from "../harness/etcd.ts";
import { makeSandbox, type Sandbox } from "../harness/sandbox.ts";
import { type ServerProcess, type ServerProcesses, startServers } from "./server-processes.ts";

const LAUNCHER = join(import.meta.dirname, "../../launcher/styr");
const cannot = canRunEtcd() || (process.geteuid?.() === 0 ? false : "needs root");
/** Says what it is sent, and how long that was when its client has said all. */
const SERVER = `require("net").createServer({allowHalfOpen:true},s=>{let n=0;s.on("data",d=>n+=d.length);s.on("end",()=>s.end("got "+n+" bytes"));s.on("error",()=>{})}).listen(process.env.PORT0)`;
const APP = {
  id: "/talk",
  cmd: `echo begun as $$; exec ${process.execPath} -e '${SERVER}'`,
  cpus: 0.1,
  mem: 64,
  instances: 1,
  portDefinitions: [{ port: 0 }],
};

describe("an agent and three servers", { skip: cannot }, () => {
  let cluster: ServerProcesses;
  let sandbox: Sandbox;
  let agent: ChildProcess;
  let port = 0;
  const name = `styrha${process.pid}`;
  const state = () => join(sandbox.dir, "agent");

  before(async () => {
    sandbox = makeSandbox("ha-agent", () => ({ cgroups: [name] }));
    cluster = await startServers(3);
    const leader = await cluster.leader();
    const token = await must(at(leader, ["token", "create", "--role", "agent"]));
    const [, secret = ""] = /--token (\S+)/.exec(token) ?? assert.fail(token);
    const place = [
      "--state",
      state(),
      "--node-name",
      "w1",
      "--cgroup",
      name,
      "--network",
      name,
      "--no-install",
      "--no-cluster-network",
    ];
    const words = [LAUNCHER, "join", leader.url, "--token", secret, ...place];
    agent = sandbox.spawn("agent-log", ["env", "DOCKER_HOST=unix:///nonexistent.sock", ...words]);
    await until("the node is ready", async () => /w1 +ready/.test((await at(leader, ["nodes"])).out));
    assert.equal((await leader.call({ method: "POST", path: "/v2/apps", body: APP })).status, 201);
    await until("the app runs", async () => /1\/1/.test((await at(leader, ["ps", "talk"])).out));
    const inspected = await must(at(leader, ["ps", "talk"]));
    port = Number(/http:\/\/[^ ]+:(\d+)/.exec(inspected)?.[1] ?? assert.fail(inspected));
  });

  after(async () => {
    if (existsSync(state())) await run(["down", "--force", "--state", state()]);
    agent?.kill("SIGKILL");
    sandbox.stop();
    cluster?.stop();
  });

  test("logs, commands with input and exit code, and ports are reached at every server", async () => {
    for (const server of cluster.servers) await everything(server);
  });

  test("the agent knows every server, and says to whom it is connected", async () => {
    const known = () =>
      (JSON.parse(readFileSync(join(state(), "cluster.json"), "utf8")) as { servers: string[] }).servers;
    await until("all three are written down", async () => known().length === 3);
    const asked = await styr(`unix://${join(state(), "styr.sock")}`, ["ps"]);
    assert.equal(asked.code, 1);
    assert.match(asked.err, /this host runs an agent only.*ask a server of the cluster: styr --server https:/);
  });

  test("styr status on the agent's own host says which server it is linked to, its pods, and when its certificate ends", async () => {
    const socket = `unix://${join(state(), "styr.sock")}`;
    const { out } = await styr(socket, ["status"]);
    assert.match(out, /node w1/);
    assert.match(out, /linked to https:/);
    assert.match(out, /talk\S* Running/);
    assert.match(out, /certificate ends 20/);
    assert.equal((await styr(socket, ["status", "--check"])).code, 0);
  });

  test("after kill -9 of the leader all is reached at the others, and the pod was not touched", async (t) => {
    const leader = await cluster.leader();
    const before = await must(at(leader, ["logs", "talk"]));
    await leader.kill9();
    const began = performance.now();
    const others = cluster.servers.filter((one) => one !== leader) as [ServerProcess, ServerProcess];
    await until("a command runs again", async () => (await at(others[0], ["exec", "talk", "--", "true"])).code === 0);
    t.diagnostic(
      `a command ran again ${((performance.now() - began) / 1000).toFixed(1)} s after the leader was killed`,
    );
    for (const server of others) await everything(server);
    // A second start would say so, as another process.
    assert.equal(await must(at(others[1], ["logs", "talk"])), before);
    await leader.start();
    await everything(leader);
  });

  async function everything(server: ServerProcess): Promise<void> {
    assert.match(await must(at(server, ["logs", "talk"])), /begun as \d+/, server.name);
    const command = ["exec", "talk", "--", "sh", "-c", "cat; echo aside >&2; exit 5"];
    const ran = await at(server, command, "some input\n");
    assert.deepEqual([ran.out, ran.err.trim(), ran.code], ["some input\n", "aside", 5], server.name);
    assert.equal(await overForward(server, "x".repeat(200_000)), "got 200000 bytes");
  }

  async function overForward(server: ServerProcess, text: string): Promise<string> {
    const forward = spawn(LAUNCHER, ["port-forward", "talk", `0:${port}`], {
      env: { ...process.env, ...credentials(server) },
    });
    let said = "";
    forward.stderr.on("data", (data) => (said += data));
    try {
      await until(
        "it listens",
        async () => said.includes("leads to port"),
        () => said,
      );
      const local = Number(/:(\d+) leads to/.exec(said)?.[1]);
      return await sayAll(local, text);
    } finally {
      forward.kill("SIGTERM");
      await new Promise((resolve) => forward.once("close", resolve));
    }
  }

  /** The command line as somebody elsewhere uses it: over the network, with a token. */
  function at(server: ServerProcess, args: readonly string[], input = ""): Promise<Ran> {
    return styr(server.url, args, input, credentials(server));
  }

  function credentials({ url, state }: ServerProcess) {
    const pki = join(state, "pki");
    const ca = join(sandbox.dir, "ca.crt");
    copyFileSync(join(pki, "ca.crt"), ca);
    return { STYR_SERVER: url, STYR_TOKEN: readFileSync(join(pki, "admin.token"), "utf8").trim(), STYR_CA: ca };
  }

  function run(args: readonly string[]): Promise<Ran> {
    return styr("", args, "", { DOCKER_HOST: "unix:///nonexistent.sock" });
  }
});

/** Sends all of it, says that that was all, and gives what comes back. */
function sayAll(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let heard = "";
    socket.on("data", (data) => (heard += data));
    socket.on("error", reject);
    socket.on("end", () => resolve(heard));
    socket.end(text);
  });
}

async function must(running: Promise<Ran>): Promise<string> {
  const { code, out, err } = await running;
  assert.equal(code, 0, out + err);
  return out;
}

async function until(what: string, check: () => Promise<boolean>, seen = () => ""): Promise<void> {
  const deadline = performance.now() + 40_000;
  while (!(await check())) {
    if (performance.now() > deadline) assert.fail(`not in time: ${what}\n${seen()}`);
    await sleep(100);
  }
}
