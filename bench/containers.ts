/**
 * Containers started per second by 50 replicas through the Docker driver, against the bare Docker Engine API at its best concurrency, on the
 * same private engine in the same run (floor 0.9 of it); and the time from a container's death to its successor running.
 */
import { Agent, request } from "node:http";
import { DockerDriver } from "../src/drivers/docker/docker-driver.ts";
import { engineAt } from "../src/drivers/docker/engine.ts";
import { Limiter } from "../src/drivers/docker/limiter.ts";
import type { ContainerRun, ObservedRun } from "../src/drivers/driver.ts";
import { SystemClock } from "../src/seams/clock.ts";
import { silentLog } from "../src/seams/log.ts";
import { makeRun, nextRun } from "../test/contract/driver/make-run.ts";
import { canRunEngine, type Engine, startEngine } from "../test/harness/engine.ts";
import { testImages } from "../test/harness/images.ts";
import { startRegistry } from "../test/harness/registry.ts";
import { printTable } from "./lib/table.ts";

const REPLICAS = 50;
const ROUNDS = 3;
const WIDTHS = [4, 6, 8];
const DEATHS = 15;
const COMMAND = ["sleep", "1000"];

export async function benchContainers(): Promise<void> {
  const reason = canRunEngine();
  if (reason) return console.log(`containers: not run: ${reason}`);
  const registry = await startRegistry();
  await registry.putImages(testImages());
  const engine = await startEngine({ registry });
  const client = engineAt(engine.socket);
  const driver = new DockerDriver({
    ...{ engine: client, instance: "bench", clock: new SystemClock(), log: silentLog },
    network: { name: engine.network, subnet: engine.podSubnet },
    cgroupRoot: engine.cgroupRoot,
  });
  try {
    await driver.prepare(makeRun({ image: "busybox:1" }), {});
    await driver.describe();
    await startRates(engine, driver);
    await deathToSuccessor(driver, engine);
  } finally {
    await client.close();
    engine.stop();
    registry.stop();
  }
}

/** Rounds take turns, so that what else the machine does hits all alike; the best of each counts. */
async function startRates(engine: Engine, driver: DockerDriver): Promise<void> {
  const best = new Map<string, number>();
  const note = (name: string, rate: number) => best.set(name, Math.max(rate, best.get(name) ?? 0));
  for (let round = 0; round < ROUNDS; round++) {
    for (const width of WIDTHS) note(`bare API, ${width} at once`, await bareRate(engine, width));
    note("driver", await driverRate(engine, driver));
  }
  const bare = Math.max(...WIDTHS.map((width) => best.get(`bare API, ${width} at once`) ?? 0));
  const rows = [...best].map(([name, rate]) => [name, rate.toFixed(2), (rate / bare).toFixed(2)]);
  printTable(
    `${REPLICAS} containers on a bridge network, best of ${ROUNDS} rounds`,
    ["", "started/s", "of bare"],
    rows,
  );
}

async function driverRate(engine: Engine, driver: DockerDriver): Promise<number> {
  const runs = Array.from({ length: REPLICAS }, (_, n) => replica(engine, n + 2));
  const begin = performance.now();
  await Promise.all(runs.map((run) => driver.start(run)));
  const rate = REPLICAS / ((performance.now() - begin) / 1000);
  await Promise.all(runs.map((run) => driver.remove(run.ref)));
  for (const run of runs) await driver.release(run.ref.podUid);
  return rate;
}

function replica(engine: Engine, host: number): ContainerRun {
  const limits = { cpuRequestMillis: 50, memoryLimitBytes: 32 * 1024 * 1024 };
  return makeRun(
    { image: "busybox:1", command: COMMAND },
    { pod: { address: addressOf(engine, host), name: `web-${host}` }, run: { limits } },
  );
}

function addressOf(engine: Engine, host: number): string {
  return engine.podSubnet.replace(/\.0\/24$/, `.${host}`);
}

/** Nothing but create and start, over kept-alive connections, on the same network. */
async function bareRate(engine: Engine, width: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const call = (method: string, path: string, body?: object) => bareCall(engine.socketPath, agent, method, path, body);
  const limiter = new Limiter(width);
  const bodyOf = (n: number) => ({
    ...{ Image: "busybox:1", Cmd: COMMAND, HostConfig: { NetworkMode: engine.network } },
    NetworkingConfig: { EndpointsConfig: { [engine.network]: { IPAMConfig: { IPv4Address: addressOf(engine, n) } } } },
  });
  const ids: string[] = [];
  const begin = performance.now();
  const startOne = async (n: number) => {
    const { Id = "" } = await call("POST", "/containers/create", bodyOf(n));
    await call("POST", `/containers/${Id}/start`);
    ids.push(Id);
  };
  await Promise.all(Array.from({ length: REPLICAS }, (_, n) => limiter.run(() => startOne(n + 2))));
  const rate = REPLICAS / ((performance.now() - begin) / 1000);
  const removals = new Limiter(4);
  await Promise.all(ids.map((id) => removals.run(() => call("DELETE", `/containers/${id}?force=1`))));
  agent.destroy();
  return rate;
}

function bareCall(
  socketPath: string,
  agent: Agent,
  method: string,
  path: string,
  body?: object,
): Promise<{ Id?: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath, agent, method, path, headers: { "Content-Type": "application/json" } },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece: string) => {
          text += piece;
        });
        response.on("end", () => {
          if ((response.statusCode ?? 500) < 400) resolve(text === "" ? {} : JSON.parse(text));
          else reject(new Error(`${method} ${path}: ${text}`));
        });
      },
    );
    sent.on("error", reject);
    sent.end(body && JSON.stringify(body));
  });
}

/** From the kill of the container's process to the engine's answer that the next one runs: what the driver can do, without any backoff. */
async function deathToSuccessor(driver: DockerDriver, engine: Engine): Promise<void> {
  const client = engineAt(engine.socket);
  const times: number[] = [];
  let run = replica(engine, 200);
  let listener: (change: ObservedRun | "lost") => void = () => undefined;
  const abort = new AbortController();
  driver.watch((change) => listener(change), abort.signal);
  let current = await driver.start(run);
  for (let death = 0; death < DEATHS; death++) {
    const pid = await pidOf(client, current.id);
    const ended = new Promise<void>((resolve) => {
      listener = (change) => {
        if (change !== "lost" && change.state === "exited" && change.id === current.id) resolve();
      };
    });
    const begin = performance.now();
    process.kill(pid, "SIGKILL");
    await ended;
    run = nextRun(run);
    current = await driver.start(run);
    times.push(performance.now() - begin);
  }
  abort.abort();
  await driver.release(run.ref.podUid);
  await client.close();
  const sorted = times.toSorted((a, b) => a - b).map(Math.round);
  const row = [sorted[0] ?? 0, sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0];
  printTable(
    `Death to successor running, the same address, ${DEATHS} times`,
    ["", "least ms", "median ms", "most ms"],
    [["kill -9 of its process", ...row]],
  );
}

async function pidOf(client: ReturnType<typeof engineAt>, id: string): Promise<number> {
  const path = `/containers/${id.replace("docker://", "")}/json`;
  return (await client.call<{ State: { Pid: number } }>({ method: "GET", path })).State.Pid;
}

if (import.meta.main) await benchContainers();
