/** Names of all three dialects, asked as programs ask: by the C library of a container, with its resolv.conf. */
import assert from "node:assert/strict";
import { placesOf } from "../../harness/pod-place.ts";
import { until } from "../../harness/wait.ts";
import { service, whoApp } from "../../harness/workloads.ts";
import type { Scene } from "../scenario.ts";
import { ask, copies, WEB } from "./begin.ts";

const APP = "/shop/page";
const SERVICE_PORT = 10_101;

const UNIT = `[Service]
Restart=always
RestartSec=1
ExecStartPre=-/usr/bin/docker rm -f cache
ExecStart=/usr/bin/docker run --rm --name cache --network styrmann redis:7
`;

export async function namesOfAllDialects({ cluster, measured }: Scene): Promise<void> {
  await cluster.apply(whoApp(APP, SERVICE_PORT, 2));
  await cluster.apply(UNIT, "--name", "cache.service");
  await cluster.apply(service("web-each", { clusterIP: "None", selector: { service: WEB } }));
  const places = await copies(cluster);
  for (const place of places) {
    const knows = async (name: string, count: number) => {
      let seen: readonly string[] = [];
      const took = await until(
        `${place.pod.name} knows ${count} of ${name}`,
        async () => {
          seen = await addressesOf(place, name);
          return seen.length === count;
        },
        {
          seen: async () => `${seen.join(" ")}\n${await cluster.words("ps")}`,
          withinMs: 30_000,
        },
      );
      return { seen, took };
    };
    for (const name of ["web", "web.default", "web.default.svc.cluster.local"]) await knows(name, 1);
    const each = await knows("web-each", places.length);
    assert.deepEqual(
      [...each.seen].sort(),
      places.map(({ address }) => address).sort(),
      "a headless Service is its pods",
    );
    await knows("page.shop.marathon.mesos", 2);
    await knows("cache.fleet.local", 1);
    assert.match(await ask(place, `http://page.shop.marathon.mesos/`), / 1$/);
  }
  const [first] = places;
  assert.ok(first);
  const from = performance.now();
  assert.deepEqual(await addressesOf(first, "nobody.default.svc.cluster.local"), []);
  measured.note("a name that is not there", `${Math.round(performance.now() - from)} ms with docker exec`);
  for (const host of cluster.agents) {
    const said = await (
      await fetch(`http://${host.address}:${SERVICE_PORT}/`, { signal: AbortSignal.timeout(3000) })
    ).text();
    assert.match(said, / 1$/m, `service port of ${host.name}`);
  }
}

/** A pod that goes leaves names before it is stopped, and one that comes joins when it is ready. */
export async function namesFollowPods({ cluster, measured }: Scene): Promise<void> {
  const places = await copies(cluster);
  const [near] = places;
  assert.ok(near);
  const scaled = performance.now();
  await cluster.scale("web-h4", 2);
  await placesOf(cluster, "web-h4", 2);
  await until(
    "the new copy has a name",
    async () => (await addressesOf(near, "web-each")).length === places.length + 1,
    {
      withinMs: 15_000,
    },
  );
  measured.seconds("one copy more: until its name is known", performance.now() - scaled);
  await cluster.scale("web-h4", 1);
  const took = await until(
    "it has none any more",
    async () => (await addressesOf(near, "web-each")).length === places.length,
    {
      withinMs: 15_000,
    },
  );
  measured.seconds("one copy less: until its name is gone", took);
}

/** Distinct ones, in the order of the answer. */
async function addressesOf(
  place: Awaited<ReturnType<typeof copies>>[number],
  name: string,
): Promise<readonly string[]> {
  const said = await place.run("getent", "ahostsv4", name);
  return [...new Set(said.split("\n").flatMap((line) => /^(\d+\.\d+\.\d+\.\d+)\s/.exec(line)?.[1] ?? []))];
}
