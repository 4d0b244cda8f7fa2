/** Service addresses: from pods, from hosts, from outside; and rolling updates under load. */
import assert from "node:assert/strict";
import { WHO_IMAGE_2 } from "../../harness/lab-images.ts";
import { placesOf } from "../../harness/pod-place.ts";
import { assertNoneFailed, type TrafficReport, withTraffic, wordsOf } from "../../harness/traffic.ts";
import { until } from "../../harness/wait.ts";
import { service, who, whoApp } from "../../harness/workloads.ts";
import type { Scene } from "../scenario.ts";
import { ask, copies, WEB } from "./begin.ts";

interface ServiceSeen {
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly nodePort?: number }[] };
}

export async function clusterAddress(
  cluster: Scene["cluster"],
  name = WEB,
): Promise<{ address: string; nodePort: number }> {
  const { spec } = await cluster.client.must<ServiceSeen>(
    cluster.server,
    `/api/v1/namespaces/default/services/${name}`,
  );
  return { address: spec.clusterIP, nodePort: spec.ports[0]?.nodePort ?? 0 };
}

export async function serviceAddresses({ cluster }: Scene): Promise<void> {
  const { address, nodePort } = await clusterAddress(cluster);
  const places = await copies(cluster);
  const names = places.map(({ pod }) => pod.name).sort();
  for (const from of places) {
    const said = await Promise.all(Array.from({ length: 30 }, () => ask(from, `http://${address}/`)));
    const who = new Set(said.map((line) => line.split(" ")[0] ?? ""));
    assert.deepEqual([...who].sort(), names, `every endpoint is used from ${from.pod.name}`);
    const seen = new Set(said.filter((line) => !line.startsWith(from.pod.name)).map((line) => line.split(" ")[1]));
    assert.deepEqual([...seen], [from.address], "the client's address is kept");
  }
  for (const host of cluster.agents) {
    const said = await host.must(["curl", "-sS", "-m", "3", `http://${address}/`]);
    assert.match(said, / 1$/m, `${host.name} itself asks the Service`);
    const outside = await fetch(`http://${host.address}:${nodePort}/`, { signal: AbortSignal.timeout(3000) });
    assert.match(await outside.text(), / 1$/m, `node port of ${host.name}`);
  }
}

/** Refused at once, not hung. */
export async function withoutEndpoints({ cluster, measured }: Scene): Promise<void> {
  await cluster.apply(service("nobody"));
  const { address } = await clusterAddress(cluster, "nobody");
  const [from] = await copies(cluster);
  assert.ok(from);
  const started = performance.now();
  let said = "";
  await until(
    "it is refused",
    async () => {
      said = await ask(from, `http://${address}/`);
      return /connect to \S+ port 80 after \d{1,3} ms/.test(said);
    },
    {
      seen: () => said,
      withinMs: 10_000,
    },
  );
  measured.note("a Service without endpoints", `refused after ${Math.round(performance.now() - started)} ms`);
}

/** As kubectl rolling-update does it: a controller with the next version behind the same Service, and the first to nothing. */
export async function rollService({ cluster, measured }: Scene): Promise<void> {
  await cluster.apply(service("rolled"));
  await cluster.apply(who("rolled-1", { replicas: 3, service: "rolled" }));
  await placesOf(cluster, "rolled-1", 3);
  const { address } = await clusterAddress(cluster, "rolled");
  const [pod] = await copies(cluster);
  const [host] = cluster.agents;
  assert.ok(pod && host);
  await until("it answers", async () => (await ask(pod, `http://${address}/`)).endsWith(" 1"), { withinMs: 15_000 });
  const asked = { url: `http://${address}/`, everyMs: 10 };
  let fromHost: TrafficReport | undefined;
  const fromPod = await withTraffic(pod.enter, asked, async () => {
    fromHost = await withTraffic(host.enter, asked, async () => {
      await cluster.apply(who("rolled-2", { replicas: 3, service: "rolled", image: WHO_IMAGE_2 }));
      await placesOf(cluster, "rolled-2", 3);
      await cluster.scale("rolled-1", 0);
      await until("the first version is gone", async () => (await cluster.pods("rolled-1")).length === 0, {
        withinMs: 60_000,
      });
    });
  });
  assert.ok(fromHost);
  measured.note("rolling update of a Service, from a pod", wordsOf(fromPod));
  measured.note("rolling update of a Service, from a host", wordsOf(fromHost));
  assertNoneFailed(fromPod, "from a pod");
  assertNoneFailed(fromHost, "from a host");
  assert.ok(
    Object.keys(fromPod.answers).some((said) => said.endsWith(" 2")),
    "the next version answers",
  );
  await Promise.all(["rolled-1", "rolled-2"].map((name) => cluster.remove(name)));
}

const APP = "/rolled";
const SERVICE_PORT = 10_102;

/** From outside, at the service port of each host. */
export async function rollApp({ cluster, measured }: Scene): Promise<void> {
  await cluster.apply(whoApp(APP, SERVICE_PORT, 3));
  const urls = cluster.agents.map(({ address }) => `http://${address}:${SERVICE_PORT}/`);
  const says = async (version: string) => {
    const said = await Promise.all(urls.map((url) => answerOf(url)));
    return said.every((text) => text.endsWith(` ${version}`));
  };
  await until("the app answers at every host", () => says("1"), { seen: () => cluster.words("ps") });
  await until("its deployment is over", () => hasNoDeployment(cluster), { seen: () => cluster.words("ps") });
  const loads = urls.map((url) => withTraffic([], { url, everyMs: 15 }, () => over));
  const over = (async () => {
    await cluster.apply(whoApp(APP, SERVICE_PORT, 3, WHO_IMAGE_2));
    await until("the app is of the next version", async () => (await hasNoDeployment(cluster)) && (await says("2")), {
      seen: () => cluster.words("ps"),
      withinMs: 90_000,
    });
  })();
  const reports = await Promise.all(loads);
  for (const [at, report] of reports.entries())
    measured.note(`rolling update of an app, service port of ${cluster.agents[at]?.name}`, wordsOf(report));
  for (const [at, report] of reports.entries()) assertNoneFailed(report, `service port of ${cluster.agents[at]?.name}`);
  await cluster.client.must(cluster.server, `/v2/apps${APP}?force=true`, { method: "DELETE" });
}

async function hasNoDeployment(cluster: Scene["cluster"]): Promise<boolean> {
  return (await cluster.client.must<readonly unknown[]>(cluster.server, "/v2/deployments")).length === 0;
}

async function answerOf(url: string): Promise<string> {
  try {
    return (await (await fetch(url, { signal: AbortSignal.timeout(2000) })).text()).trim();
  } catch (error) {
    return (error as Error).message;
  }
}
