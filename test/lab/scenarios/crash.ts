import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { runningContainers } from "../harness/engines.ts";
import { disturbed } from "../harness/pods.ts";
import { STYR } from "../harness/styr.ts";
import { until } from "../harness/wait.ts";
import { type Scene, STEADY } from "./scenario.ts";

const AWAY_MS = 3_000;

/** kill -9 of dockerd, containerd and the agent of one host, which come back as a service manager starts them. */
export async function crashEngineAndAgent({ cluster, measured }: Scene): Promise<void> {
  const [host] = cluster.agents;
  assert.ok(host);
  const [pods, containers] = [await cluster.pods(STEADY), await runningContainers(host)];
  assert.ok(containers.size >= 2);
  for (const name of ["dockerd", "containerd", STYR]) await host.signal(name, "SIGKILL");
  await delay(AWAY_MS);
  const from = performance.now();
  await cluster.startEngines([host]);
  await cluster.startAgent(host);
  await cluster.untilReady([host]);
  const runsAgain = async () => (await cluster.pods(STEADY)).every(({ isReady }) => isReady);
  await until("every pod is ready", runsAgain, { seen: () => cluster.words("why", STEADY) });
  measured.seconds("dockerd, containerd and agent killed: all ready after their start", performance.now() - from);
  assert.deepEqual(await runningContainers(host), containers, "the same processes");
  assert.deepEqual(disturbed(pods, await cluster.pods(STEADY)), []);
  measured.note("dockerd, containerd and agent killed: restarts", "0");
}
