import assert from "node:assert/strict";
import { startEtcd } from "../harness/etcd.ts";
import { serving } from "../harness/pods.ts";
import { startStyr } from "../harness/styr.ts";
import { until } from "../harness/wait.ts";
import { replicas } from "../harness/workloads.ts";
import { type Scene, STEADY } from "./scenario.ts";

/** Three servers on three etcd members: the second and third by a token. */
export async function startServers({ cluster, measured }: Scene): Promise<void> {
  const [first, ...others] = cluster.servers;
  assert.ok(first);
  await startEtcd(cluster.servers);
  measured.seconds(
    "first server up",
    await startStyr(first, cluster.programOf(first), ["server", "--store", cluster.store]),
  );
  await cluster.signIn();
  for (const host of others) {
    const [url, token] = await cluster.tokenFor("server");
    measured.seconds(`server ${host.name} joined`, await cluster.join(host, url, token, "--no-agent"));
  }
  let seen = "";
  await until(
    "every server answers",
    async () => {
      const answers = await Promise.all(cluster.servers.map((host) => cluster.client.ask(host, "/api/v1/pods")));
      seen = answers.map(({ status, text }) => `${status} ${text.slice(0, 200)}`).join("\n");
      return answers.every(({ status }) => status === 200);
    },
    { seen: () => seen },
  );
}

/** All hosts at once, by one token of as many uses; then two pods on each. */
export async function joinAll({ cluster, measured }: Scene): Promise<void> {
  const { agents } = cluster;
  await cluster.startEngines();
  const [url, token] = await cluster.tokenFor("agent", agents.length);
  const from = performance.now();
  const joined = await Promise.all(
    agents.map(async (host) => {
      const started = cluster.join(host, url, token);
      await cluster.untilReady([host]);
      const readyMs = performance.now() - from;
      await started;
      return readyMs;
    }),
  );
  measured.note(`${agents.length} hosts join at once, Ready`, spread(joined));
  const created = performance.now();
  await cluster.create(replicas(STEADY, { replicas: agents.length * 2 }));
  const readyPods = async () => serving(await cluster.pods(STEADY)).length;
  const seen = () => cluster.words("why", STEADY);
  await until("the first pod", async () => (await readyPods()) > 0, { everyMs: 20, seen });
  measured.seconds("first pod ready (its image pulled)", performance.now() - created);
  await until("every pod", async () => (await readyPods()) === agents.length * 2, { seen });
  measured.seconds(`${agents.length * 2} pods ready`, performance.now() - created);
  const used = new Set((await cluster.pods(STEADY)).map(({ node }) => node));
  assert.equal(used.size, agents.length, "every host has its share");
}

function spread(ms: readonly number[]): string {
  const seconds = ms.toSorted((a, b) => a - b).map((one) => (one / 1000).toFixed(1));
  return `${seconds[0]} to ${seconds.at(-1)} s`;
}
