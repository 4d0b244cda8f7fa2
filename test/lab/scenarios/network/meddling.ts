/** What people and their tools do to a host's network beside styr: it is made good by itself, or it is said who has to do what. */
import assert from "node:assert/strict";
import { startEngine } from "../../harness/engines.ts";
import type { Host } from "../../harness/host.ts";
import type { PodPlace } from "../../harness/pod-place.ts";
import { STYR } from "../../harness/styr.ts";
import { until } from "../../harness/wait.ts";
import type { Scene } from "../scenario.ts";
import { ask, copies } from "./begin.ts";
import { wellAgain } from "./losses.ts";

/** A look every ten seconds, twice, and a busy machine. */
const MENDED_MS = 40_000;

type Cluster = Scene["cluster"];

export async function rulesAreFlushed({ cluster, measured }: Scene): Promise<void> {
  const host = cluster.agents[1];
  assert.ok(host);
  await host.must(["iptables", "-P", "FORWARD", "DROP"]);
  await mended(cluster, measured, "iptables -F beside FORWARD drop", host, [["iptables", "-F"]]);
  await restartDocker(cluster, host);
}

export async function bridgeIsTouched({ cluster, measured }: Scene): Promise<void> {
  const host = cluster.agents[1];
  assert.ok(host);
  for (const command of [
    ["ip", "addr", "flush", "dev", "styrmann"],
    ["ip", "link", "set", "styrmann", "down"],
    ["ip", "link", "del", "styrmann"],
  ])
    await mended(cluster, measured, command.join(" "), host, [command]);
  // Docker finds the bridge that was made in its place.
  const [, place] = await copies(cluster);
  assert.ok(place);
  const path = `/api/v1/namespaces/default/pods/${place.pod.name}`;
  await cluster.client.must(cluster.server, path, { method: "DELETE" });
  await wellAgain(cluster);
}

/** By an agent that was not there when they went, until Docker has made them anew. */
export async function dockersRulesAreGone({ cluster }: Scene): Promise<void> {
  const host = cluster.agents[1];
  assert.ok(host);
  await host.must(["nft", "flush", "ruleset"]);
  await host.signal(STYR, "SIGTERM");
  await cluster.startAgent(host);
  await cluster.untilReady([host]);
  const said = async () => (await cluster.words("network", "status")).includes("took Docker's own rules away");
  const seen = () => cluster.words("network", "status");
  await until("it is said", said, { withinMs: MENDED_MS, seen });
  await restartDocker(cluster, host);
  await until("it is said no more", async () => !(await said()), { withinMs: MENDED_MS, seen });
  // The chain for rules of the user's own (DOCKER-USER) Docker makes with the next network only, where containers run on.
  for (const how of ["create", "rm"]) await host.must(["docker", "network", how, "next"]);
  await wellAgain(cluster);
}

/** As at the end of a lease: there, and back again. */
export async function addressChanges({ cluster, measured }: Scene): Promise<void> {
  const host = cluster.agents[1];
  assert.ok(host);
  const other = host.address.replace(/\d+$/, "177");
  for (const [before, next] of [
    [host.address, other],
    [other, host.address],
  ] as const) {
    await readdress(host, before, next);
    const beganMs = performance.now();
    const said = async () => (await cluster.words("nodes", "-o", "json")).includes(`"${next}"`);
    await until("the node says its new address", said, { withinMs: MENDED_MS, seen: () => cluster.words("nodes") });
    await wellAgain(cluster);
    measured.seconds("a host with another address is reached by all after", performance.now() - beganMs);
  }
}

async function readdress(host: Host, before: string, next: string): Promise<void> {
  const shown = await host.must(["ip", "-o", "-4", "addr", "show"]);
  const [, device = "", length = ""] = new RegExp(`(\\S+) +inet ${before}/(\\d+)`).exec(shown) ?? [];
  const router = /default via (\S+)/.exec(await host.must(["ip", "route"]))?.[1];
  await host.must(["ip", "addr", "del", `${before}/${length}`, "dev", device]);
  await host.must(["ip", "addr", "add", `${next}/${length}`, "dev", device]);
  // It went with the address.
  if (router !== undefined) await host.must(["ip", "route", "replace", "default", "via", router]);
}

async function restartDocker(cluster: Cluster, host: Host): Promise<void> {
  await host.signal("dockerd", "SIGTERM");
  await startEngine(host, { mirror: cluster.registry.url });
  await wellAgain(cluster);
}

const MOST_TIMES = 5;

/** After these commands on the host, pods of another host reach its pod again, and it is not hidden meanwhile. */
async function mended(
  cluster: Cluster,
  measured: Scene["measured"],
  what: string,
  host: Host,
  commands: readonly (readonly string[])[],
): Promise<void> {
  const [client, there] = (await copies(cluster)) as readonly [PodPlace, PodPlace];
  const answers = async () => (await ask(client, `http://${there.address}/`)).endsWith(" 1");
  assert.ok(await answers());
  let isCut = false;
  // The look that mends it may come while the question waits for its answer.
  for (let time = 0; time < MOST_TIMES && !isCut; time++) {
    for (const command of commands) await host.must(command);
    isCut = !(await answers());
  }
  assert.ok(isCut, `${what}: it was cut off`);
  const beganMs = performance.now();
  await until(`${what}: its pod is reached again`, answers, {
    withinMs: MENDED_MS,
    seen: () => cluster.words("network", "status"),
  });
  measured.seconds(`${what}: pods are reached again after`, performance.now() - beganMs);
  await wellAgain(cluster);
}
