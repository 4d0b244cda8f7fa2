/** examples/guestbook as it is: a fleet unit, a Marathon app and a Kubernetes controller find each other by name, through a rolling update and the loss of a host. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Host } from "../../harness/host.ts";
import { assertNoneFailed, lastTroubleMs, Traffic, type TrafficReport, wordsOf } from "../../harness/traffic.ts";
import { until } from "../../harness/wait.ts";
import type { Scene } from "../scenario.ts";

type Cluster = Scene["cluster"];

const FILES = join(import.meta.dirname, "../../../../examples/guestbook");
const PORT = 10_180;
const HOST_LOSS_MS = 2_000;
/** A page is a dozen processes of a shell: four clients are a fair share of two cores, and whoever waits so long is not served at all. */
const EVERY_MS = 250;
const TIMEOUT_MS = 4_000;

const read = (name: string) => readFileSync(join(FILES, name), "utf8");

export async function guestbookBegins({ cluster, measured }: Scene): Promise<void> {
  const from = performance.now();
  await cluster.apply(read("redis.service"), "--name", "redis.service");
  await cluster.apply(read("web.json"));
  await cluster.apply(read("workers.yaml"));
  for (const [at, host] of cluster.agents.entries()) {
    await until(
      `the page of ${host.name} takes an entry`,
      async () => (await page(host, `?entry=hello+${at}`)).includes("<h1>Guestbook"),
      {
        seen: async () => `${await page(host)}\n${await cluster.words("ps")}`,
        withinMs: 90_000,
      },
    );
  }
  let seen = "";
  const isWhole = async () => {
    seen = await page(cluster.agents[0] as Host);
    return (
      cluster.agents.every((_, at) => seen.includes(`<li>hello ${at}`)) &&
      /one of them is guestbook-workers-/.test(seen)
    );
  };
  await until("entries are signed by workers, and a worker is found by its Service", isWhole, {
    seen: () => seen,
    withinMs: 60_000,
  });
  measured.seconds("guestbook: from three files to the first signed entries", performance.now() - from);
  await workersSeePage(cluster);
}

/** The workers look for the page by its Marathon name, and tell redis by its fleet name. */
async function workersSeePage(cluster: Cluster): Promise<void> {
  const host = await hostOfRedis(cluster);
  const keys = async () =>
    (await host.must(["docker", "exec", "guestbook-redis", "redis-cli", "keys", "page-seen-by-*"]))
      .trim()
      .split("\n")
      .filter(Boolean);
  await until("three workers have seen the page", async () => (await keys()).length === 3, {
    seen: async () => (await keys()).join(" "),
    withinMs: 30_000,
  });
}

/** The label `HAPROXY_0_VHOST` of its app, at the host that is a way in. */
export async function guestbookHasHostName({ cluster }: Scene): Promise<void> {
  const [wayIn] = cluster.agents;
  assert.ok(wayIn);
  const ask = (name: string) =>
    cluster.server.must([
      "curl",
      "-sS",
      "-m",
      "5",
      "-w",
      "%{http_code}",
      "-H",
      `Host: ${name}`,
      `http://${wayIn.address}/`,
    ]);
  let said = "";
  const isThere = async () => {
    said = await ask("guestbook.example.org");
    return said.includes("<h1>Guestbook") && said.endsWith("200");
  };
  await until("the page has its host name", isThere, { seen: () => said, withinMs: 30_000 });
  assert.match(await ask("nobody.example.org"), /404$/);
  assert.match(await cluster.words("ps"), /http:\/\/guestbook\.example\.org/);
}

export async function guestbookRolls({ cluster, measured }: Scene): Promise<void> {
  const app = { ...(JSON.parse(read("web.json")) as object), env: { VERSION: "2" } };
  const before = (await tasks(cluster)).map(({ id }) => id);
  const reports = await underLoad(cluster.agents, async () => {
    await cluster.apply(JSON.stringify(app));
    const deployments = () => cluster.client.must<readonly unknown[]>(cluster.server, "/v2/deployments");
    await until("the update has begun", async () => (await deployments()).length > 0, {
      withinMs: 10_000,
      everyMs: 20,
    });
    await until("the update is over", async () => (await deployments()).length === 0, {
      withinMs: 120_000,
      seen: () => cluster.words("ps"),
    });
  });
  for (const [name, report] of reports) measured.note(`guestbook: rolling update, page of ${name}`, wordsOf(report));
  const after = (await tasks(cluster)).map(({ id }) => id);
  assert.ok(after.length === 2 && after.every((id) => !before.includes(id)), `${before} became ${after}`);
  for (const [name, report] of reports) assertNoneFailed(report, `page of ${name}`);
}

interface Task {
  readonly id: string;
  readonly host: string;
}

async function tasks(cluster: Cluster): Promise<readonly Task[]> {
  const path = "/v2/apps/guestbook/web/tasks";
  return (await cluster.client.must<{ tasks: readonly Task[] }>(cluster.server, path)).tasks;
}

/** A host with a copy of the page, that redis is not on. */
export async function guestbookLosesHost({ cluster, measured }: Scene): Promise<void> {
  const redis = await hostOfRedis(cluster);
  const pages = (await tasks(cluster)).map(({ host }) => host);
  const victim = cluster.agents.find(
    (one) => one !== redis && (pages.includes(one.name) || pages.includes(one.address)),
  );
  assert.ok(victim);
  let at = 0;
  const reports = await underLoad(
    cluster.agents.filter((host) => host !== victim),
    async (nowMs) => {
      await delay(500);
      at = nowMs();
      victim.powerOff();
      await delay(8000);
    },
  );
  await staysUp(reports, at, redis, measured).finally(async () => {
    await victim.powerOn();
    await cluster.boot(victim);
    await cluster.untilReady(cluster.agents);
  });
}

async function staysUp(
  reports: ReadonlyMap<string, TrafficReport>,
  at: number,
  redis: Host,
  measured: Scene["measured"],
): Promise<void> {
  for (const [name, report] of reports) {
    const last = lastTroubleMs(report) - at;
    measured.note(
      `guestbook: loss of a host, page of ${name}`,
      `${wordsOf(report)}\n  the last that failed, or needed a second packet, was begun ${Math.round(last)} ms after it`,
    );
    assert.ok(last < HOST_LOSS_MS, wordsOf(report));
  }
  const text = await page(redis, "?entry=still+here");
  assert.match(text, /<h1>Guestbook/);
  await until("the entry is signed", async () => (await page(redis)).includes("<li>still here"), {
    seen: () => page(redis),
    withinMs: 30_000,
  });
}

async function underLoad(
  hosts: readonly Host[],
  work: (nowMs: () => number) => Promise<void>,
): Promise<ReadonlyMap<string, TrafficReport>> {
  const loads = await Promise.all(
    hosts.map(async (host) => {
      const asked = { url: `http://${host.address}:${PORT}/`, everyMs: EVERY_MS, timeoutMs: TIMEOUT_MS };
      return [host.name, await Traffic.start([], asked)] as const;
    }),
  );
  const started = performance.now();
  try {
    await work(() => performance.now() - started);
  } finally {
    await Promise.all(loads.map(([, traffic]) => traffic.stop()));
  }
  return new Map(await Promise.all(loads.map(async ([name, traffic]) => [name, await traffic.stop()] as const)));
}

async function hostOfRedis(cluster: Cluster): Promise<Host> {
  for (const host of cluster.agents) {
    const said = await host.must(["docker", "ps", "-q", "--filter", "name=^guestbook-redis$"]);
    if (said.trim() !== "") return host;
  }
  throw new Error("redis runs nowhere");
}

async function page(host: Host, query = ""): Promise<string> {
  try {
    const answer = await fetch(`http://${host.address}:${PORT}/${query}`, { signal: AbortSignal.timeout(5000) });
    // An entry that redis did not take.
    return answer.ok ? await answer.text() : `answered ${answer.status}`;
  } catch (error) {
    return (error as Error).message;
  }
}
