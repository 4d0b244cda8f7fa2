/** One server with its own store, hosts with engines: two on its link, two behind a router; and the workloads that the other scenarios ask. */
import assert from "node:assert/strict";
import { LabCluster } from "../../harness/lab-cluster.ts";
import { labImages } from "../../harness/lab-images.ts";
import { type PodPlace, placesOf } from "../../harness/pod-place.ts";
import { startStyr } from "../../harness/styr.ts";
import { until } from "../../harness/wait.ts";
import { service, who } from "../../harness/workloads.ts";
import type { Scene } from "../scenario.ts";

/** A server and two hosts on one link, two more behind a router, each with its engine. */
export async function openNetworkLab(): Promise<LabCluster> {
  const cluster = await LabCluster.open({ servers: 1, agents: 4, links: [0, 0, 1, 1], images: labImages() });
  await cluster.startEngines();
  return cluster;
}

/** One copy on each host, behind the Service of this name. */
export const WEB = "web";

export async function beginNetwork({ cluster, measured }: Scene): Promise<void> {
  const { server, agents } = cluster;
  await startStyr(server, cluster.programOf(server), ["server"]);
  await cluster.signIn();
  const [url, token] = await cluster.tokenFor("agent", agents.length);
  const [wayIn] = agents;
  await Promise.all(agents.map((host) => cluster.join(host, url, token, ...(host === wayIn ? ["--way-in"] : []))));
  await cluster.untilReady(agents);
  const copyOfEach = agents.map((host) => who(copyOn(host.name), { replicas: 1, node: host.name, service: WEB }));
  await cluster.apply(["", ...copyOfEach, service(WEB, { type: "NodePort" })].join("\n---\n"));
  const places = await copies(cluster);
  const [first] = places;
  assert.ok(first);
  const created = performance.now();
  await until("the Service answers", async () => (await ask(first, `http://${WEB}/`)).endsWith(" 1"), {
    seen: () => ask(first, `http://${WEB}/`),
    withinMs: 30_000,
  });
  measured.seconds("the Service answers by its name, after its pods", performance.now() - created);
}

export const copyOn = (hostName: string) => `web-${hostName}`;

/** The copy of each host, in the hosts' order. */
export async function copies(cluster: Scene["cluster"]): Promise<readonly PodPlace[]> {
  const each = await Promise.all(cluster.agents.map((host) => placesOf(cluster, copyOn(host.name), 1)));
  return each.flat();
}

/** `NAME CLIENT VERSION`, or what curl complains of. */
export function ask(from: PodPlace, url: string): Promise<string> {
  return from.run("curl", "-sS", "-m", "3", url);
}
