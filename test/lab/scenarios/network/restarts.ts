/** What runs the network may be restarted, killed or away: connections go on, and names are answered. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startEngine } from "../../harness/engines.ts";
import type { Host } from "../../harness/host.ts";
import { STYR } from "../../harness/styr.ts";
import { assertNoneFailed, type TrafficReport, withTraffic, wordsOf } from "../../harness/traffic.ts";
import { until } from "../../harness/wait.ts";
import { service } from "../../harness/workloads.ts";
import type { Scene } from "../scenario.ts";
import { copies, WEB } from "./begin.ts";
import { wellAgain } from "./losses.ts";
import { clusterAddress } from "./services.ts";

type Cluster = Scene["cluster"];

export async function dockerRestarts({ cluster, measured }: Scene): Promise<void> {
  const [, host] = cluster.agents;
  assert.ok(host);
  await undisturbed(cluster, measured, "restart of dockerd", async () => {
    await host.signal("dockerd", "SIGTERM");
    await startEngine(host, { mirror: cluster.registry.url });
    await delay(3000);
  });
}

export async function agentRestarts({ cluster, measured }: Scene): Promise<void> {
  for (const host of cluster.agents.slice(0, 2))
    await undisturbed(cluster, measured, `restart of the agent of ${host.name}`, async () => {
      await cluster.restart(host);
      await cluster.untilReady([host]);
    });
}

export async function agentIsKilled({ cluster, measured }: Scene): Promise<void> {
  const [first] = cluster.agents;
  assert.ok(first);
  await undisturbed(cluster, measured, "kill -9 of the agent", async () => {
    await first.signal(STYR, "SIGKILL");
    await delay(2000);
    await cluster.startAgent(first);
    await cluster.untilReady([first]);
  });
}

/**
 * As in every cloud, which drops packets of addresses that it has not given: pods are reached by tunnels there, and an agent that starts anew does
 * not try plain routes in their place.
 */
export async function agentRestartsInCloud({ cluster, measured }: Scene): Promise<void> {
  const [near, other] = await copies(cluster);
  assert.ok(near && other);
  const hosts = [near.host, other.host];
  const ways = () => Promise.all([near.host.must([...WAY, other.address]), other.host.must([...WAY, near.address])]);
  for (const host of hosts) {
    await host.must(["nft", "-f", "-"], { input: CLOUD });
    await host.must(["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1"]);
  }
  try {
    const isWrapped = async () => (await ways()).every((way) => way.includes("vxlan"));
    await until("pods of the link are reached by tunnels", isWrapped, {
      ...PATIENT,
      seen: async () => `${await ways()}`,
    });
    await wellAgain(cluster);
    await undisturbed(cluster, measured, "restart of an agent on a link that drops pods' addresses", async () => {
      await cluster.restart(near.host);
      await cluster.untilReady([near.host]);
      await delay(2000);
    });
    assert.ok(await isWrapped(), "as before the restart");
  } finally {
    for (const host of hosts) await host.must(["nft", "delete", "table", "ip", "cloud"]);
  }
  // With the strict filter that some distributions have.
  const isPlain = async () => (await ways()).every((way) => way.includes("eth0"));
  await until("routes lead there again", isPlain, { ...PATIENT, seen: async () => `${await ways()}` });
  for (const host of hosts) await host.must(["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0"]);
}

const WAY = ["ip", "-4", "route", "get"] as const;
const PATIENT = { withinMs: 120_000, everyMs: 500 } as const;
const CLOUD = `add table ip cloud
add chain ip cloud pre { type filter hook prerouting priority -200; }
add rule ip cloud pre iifname eth0 ip saddr 10.42.0.0/16 drop
`;

/** Its host is heard of at once, its pods are nobody else's, and its rules follow what changes, although its engine says nothing. */
export async function dockerStandsStill({ cluster, measured }: Scene): Promise<void> {
  const [, second] = cluster.agents;
  assert.ok(second);
  await undisturbed(cluster, measured, "agent beside a Docker that stands still", async () => {
    await second.signal("dockerd", "SIGSTOP");
    try {
      await second.signal(STYR, "SIGKILL");
      measured.seconds("an agent is up beside a Docker that stands still, after", await cluster.startAgent(second));
      await cluster.untilReady([second], cluster.server, 5_000);
      await cluster.apply(service("late", { selector: { service: WEB } }));
      const { address } = await clusterAddress(cluster, "late");
      await until("a Service that came since is in its rules", async () => (await rulesOf(second)).includes(address), {
        ...{ withinMs: 10_000, seen: () => cluster.words("network", "status") },
      });
    } finally {
      await second.signal("dockerd", "SIGCONT");
    }
  });
  await cluster.client.must(cluster.server, "/api/v1/namespaces/default/services/late", { method: "DELETE" });
}

/** Its pods leave names and services before they are stopped, others are started at once, and it may come back. */
export async function hostIsTakenDown({ cluster, measured }: Scene): Promise<void> {
  const [client] = await copies(cluster);
  const host = cluster.agents[2];
  assert.ok(client && host);
  const { address } = await clusterAddress(cluster);
  const report = await withTraffic(client.enter, { url: `http://${address}/`, everyMs: 20 }, async () => {
    await host.must([cluster.programOf(host).styr, "down"]);
    await delay(2000);
  });
  measured.note("styr down on a host, new connections", wordsOf(report));
  assertNoneFailed(report, "styr down");
  assert.equal(await cluster.stateOf(host), "unreachable");
  const [lost] = (await cluster.nodes()).filter(({ name }) => name === host.name);
  measured.note("and it is", JSON.stringify(lost));
  await cluster.command("forget", host.name);
  const [url, token] = await cluster.tokenFor("agent");
  await cluster.join(host, url, token);
  await cluster.untilReady([host]);
  await wellAgain(cluster);
}

const rulesOf = (host: Host) => host.must(["nft", "list", "table", "ip", "styrmann"]);

/** Also with an agent that is started while nobody tells it anything. */
export async function serverIsAway({ cluster, measured }: Scene): Promise<void> {
  const [, second] = cluster.agents;
  assert.ok(second);
  await undisturbed(cluster, measured, "control plane away for 10 s", async () => {
    await cluster.server.signal(STYR, "SIGKILL");
    await delay(2000);
    await second.signal(STYR, "SIGTERM");
    await cluster.startAgent(second);
    await delay(8000);
    await cluster.startServer(cluster.server);
    await cluster.untilReady(cluster.agents);
  });
}

/** Three clients while `work` is done: one whose connection is kept, one with new connections by address, one by name. No request of theirs fails. */
async function undisturbed(
  cluster: Cluster,
  measured: Scene["measured"],
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  const { address } = await clusterAddress(cluster);
  const [client] = await copies(cluster);
  assert.ok(client);
  const gateway = client.address.replace(/\d+$/, "1");
  const byAddress = { url: `http://${address}/`, everyMs: 20 };
  const reports: Record<string, TrafficReport> = {};
  reports["by name"] = await withTraffic(
    client.enter,
    { url: `http://${WEB}.default.svc.cluster.local/`, dns: gateway, everyMs: 20 },
    async () => {
      reports["new connections"] = await withTraffic(client.enter, byAddress, async () => {
        reports["one connection"] = await withTraffic(client.enter, { ...byAddress, keeps: true }, work);
      });
    },
  );
  for (const [how, report] of Object.entries(reports)) measured.note(`${what}, ${how}`, wordsOf(report));
  await wellAgain(cluster);
  for (const [how, report] of Object.entries(reports)) assertNoneFailed(report, `${what}, ${how}`);
}
