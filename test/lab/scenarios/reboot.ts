import assert from "node:assert/strict";
import { startMember } from "../harness/etcd.ts";
import { serving } from "../harness/pods.ts";
import { until } from "../harness/wait.ts";
import { missingAt, Writes } from "../harness/writes.ts";
import { type Scene, STEADY } from "./scenario.ts";

/** A power cut for the whole room: every host goes at once and comes back at once. Everything is started where it was. */
export async function rebootAll({ cluster, measured }: Scene): Promise<void> {
  const before = await cluster.pods(STEADY);
  const writes = new Writes({ client: cluster.client, servers: cluster.servers, name: "reboot", everyMs: 20 });
  await until(
    "writes are under way",
    async () => (await cluster.client.ask(cluster.server, "/api/v1/pods")).status === 200,
  );
  for (const host of cluster.lab.hosts) host.powerOff();
  const { acknowledged } = await writes.stop();
  const from = performance.now();
  await Promise.all(cluster.lab.hosts.map((host) => host.powerOn()));
  for (const host of cluster.servers) startMember(host, cluster.servers);
  await Promise.all([
    ...cluster.servers.map((host) => cluster.startServer(host)),
    ...cluster.agents.map((host) => cluster.boot(host)),
  ]);
  measured.seconds("all hosts rebooted: everything started", performance.now() - from);
  await cluster.untilReady(cluster.agents, cluster.server, 120_000);
  const all = async () => serving(await cluster.pods(STEADY)).length === before.length;
  await until("all pods ready", all, { withinMs: 120_000, seen: () => cluster.words("ps", STEADY) });
  measured.seconds("all hosts rebooted: all pods ready", performance.now() - from);
  const places = (pods: typeof before) => pods.map(({ name, node }) => `${name} on ${node}`);
  assert.deepEqual(places(await cluster.pods(STEADY)), places(before), "the same pods at the same places");
  for (const host of cluster.servers)
    assert.deepEqual(await missingAt(cluster.client, host, acknowledged), [], "no acknowledged write is lost");
}
