/** Hosts whose pods' range is another host's by now. */
import assert from "node:assert/strict";
import { STYR } from "../../harness/styr.ts";
import { until } from "../../harness/wait.ts";
import type { Scene } from "../scenario.ts";
import { wellAgain } from "./losses.ts";

interface NodeSeen {
  readonly spec: { readonly podCIDR?: string };
}

/** It has run what it knew meanwhile, on its old network, and comes back with all that it remembers; what it says to do is the cure. */
export async function forgottenHostJoinsAgain({ cluster, measured }: Scene): Promise<void> {
  const [host, other] = cluster.agents.slice(2);
  assert.ok(host && other);
  const rangeOf = async ({ name }: { readonly name: string }) =>
    (await cluster.client.must<NodeSeen>(cluster.server, `/api/v1/nodes/${name}`)).spec.podCIDR ?? "";
  const old = await rangeOf(host);
  host.powerOff();
  await other.must([cluster.programOf(other).styr, "down"]);
  const isLost = async () => (await cluster.stateOf(host)) === "unreachable";
  await until("its silence is taken for real", isLost, { withinMs: 30_000, seen: () => cluster.words("nodes") });
  for (const { name } of [host, other]) await cluster.command("forget", name);
  const [url, token] = await cluster.tokenFor("agent", 2);
  await cluster.join(other, url, token, "--pod-range", old);
  await cluster.untilReady([other]);
  assert.equal(await rangeOf(other), old);
  await host.powerOn();
  await cluster.boot(host);
  await host.signal(STYR, "SIGTERM");
  await cluster.join(host, url, token);
  await cluster.untilReady([host, other]);
  const isSaid = async () => (await cluster.words("nodes")).includes("and pods that come get none");
  await until("it says whose its range is", isSaid, { withinMs: 30_000, seen: () => cluster.words("nodes") });
  await cluster.command("drain", host.name, "--deadline", "0s");
  await cluster.command("uncordon", host.name);
  await wellAgain(cluster);
  const now = await rangeOf(host);
  measured.note("a forgotten host that joins again had, and has", `${old}, ${now}`);
  assert.notEqual(now, old);
  assert.match(await host.must(["docker", "network", "inspect", "styrmann"]), new RegExp(now.replaceAll(".", "\\.")));
}
