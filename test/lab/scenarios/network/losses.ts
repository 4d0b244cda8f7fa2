/** What dies without goodbye, under load: a process, a host; and what is cut off and comes back. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { PodPlace } from "../../harness/pod-place.ts";
import { STYR } from "../../harness/styr.ts";
import { lastTroubleMs, withTraffic, wordsOf } from "../../harness/traffic.ts";
import { until } from "../../harness/wait.ts";
import type { Scene } from "../scenario.ts";
import { ask, copies, WEB } from "./begin.ts";
import { clusterAddress } from "./services.ts";

/**
 * Answers take a millisecond. A packet that is lost on a busy machine is sent again after a second (RFC 6298), and its request is late, not
 * failed; what is gone does not answer that either.
 */
const TIMEOUT_MS = 2500;
const HOST_LOSS_MS = 2_000;

export async function processIsKilled(scene: Scene): Promise<void> {
  const loss = await withLoss(scene, "kill -9 of an endpoint", {
    ...{ everyMs: 5, forMs: 4000 },
    lose: ({ host, pid }) => host.must(["kill", "-9", String(pid)]),
  });
  assert.ok(loss.lastMs < 1500, wordsOf(loss.report));
  await copies(scene.cluster);
}

/** The process is there and answers nothing: its readiness probe finds out, every second, with a second for each. */
export async function processStandsStill(scene: Scene): Promise<void> {
  const loss = await withLoss(scene, "an endpoint that stands still", {
    ...{ everyMs: 10, forMs: 4500 },
    lose: ({ host, container }) => host.must(["docker", "pause", container]),
    giveBack: ({ host, container }) => host.must(["docker", "unpause", container]),
  });
  assert.ok(loss.lastMs < 3000, wordsOf(loss.report));
  await copies(scene.cluster);
}

export async function hostLosesPower(scene: Scene): Promise<void> {
  const { cluster } = scene;
  const { report, lastMs, victim } = await withLoss(scene, "power off of a host", {
    ...{ everyMs: 5, forMs: 6000, which: 2 },
    ready: ({ host }) => settled(cluster, host.name),
    lose: ({ host }) => host.powerOff(),
  });
  await victim.host.powerOn();
  await cluster.boot(victim.host);
  await cluster.untilReady(cluster.agents);
  await wellAgain(cluster);
  assert.ok(lastMs < HOST_LOSS_MS, wordsOf(report));
}

/** Its server hears it, and so does everybody but one host: that one finds out by its probes, every five seconds, and by two more at once. */
export async function hostIsCutFromOne(scene: Scene): Promise<void> {
  const { cluster } = scene;
  const [client] = await copies(cluster);
  assert.ok(client);
  const { report, lastMs } = await withLoss(scene, "a host cut off from one other", {
    ...{ everyMs: 20, forMs: 11_500 },
    lose: ({ host }) => cluster.lab.cut(host, [client.host]),
    giveBack: async ({ host }) => cluster.lab.heal(host),
  });
  assert.ok(lastMs < 11_000, wordsOf(report));
  await wellAgain(cluster);
}

/** Its predecessor had the dead host out of its rules, and nobody leads who could say it again. */
export async function agentStartsBesideLoss({ cluster, measured }: Scene): Promise<void> {
  const [client, , victim] = await copies(cluster);
  assert.ok(client && victim);
  const { host } = client;
  await settled(cluster, victim.host.name);
  const leads = async () => (await host.must(["nft", "list", "table", "ip", "styrmann"])).includes(victim.address);
  assert.ok(await leads(), "rules lead to it as long as it is there");
  await cluster.server.signal(STYR, "SIGKILL");
  victim.host.powerOff();
  try {
    await until("rules lead to it no more", async () => !(await leads()), { withinMs: 15_000 });
    await host.signal(STYR, "SIGKILL");
    const looked = { times: 0, led: 0 };
    const started = cluster.startAgent(host);
    for (const untilMs = performance.now() + 7_000; performance.now() < untilMs; await delay(50)) {
      looked.times++;
      if (await leads()) looked.led++;
    }
    await started;
    measured.note(
      "an agent killed and started beside a dead host: its rules led there",
      `${looked.led} of ${looked.times} looks`,
    );
    assert.equal(looked.led, 0, `rules led there at ${looked.led} of ${looked.times} looks`);
  } finally {
    await cluster.startServer(cluster.server);
    await victim.host.powerOn();
    await cluster.boot(victim.host);
    await cluster.untilReady(cluster.agents);
  }
  await wellAgain(cluster);
}

interface Loss {
  readonly everyMs: number;
  readonly forMs: number;
  /** Which copy, in the order of the hosts; the first one asks. Default the second. */
  readonly which?: number;
  readonly ready?: (victim: PodPlace) => Promise<void>;
  readonly lose: (victim: PodPlace) => unknown;
  readonly giveBack?: (victim: PodPlace) => Promise<unknown>;
}

/** A copy is lost while another asks the Service; `lastMs`: when the last request that failed was begun, counted from the loss. */
async function withLoss({ cluster, measured }: Scene, what: string, loss: Loss) {
  const { everyMs, forMs, which = 1, ready, lose, giveBack } = loss;
  const { address } = await clusterAddress(cluster);
  const places = await copies(cluster);
  const [client, victim] = [places[0], places[which]];
  assert.ok(client && victim);
  await ready?.(victim);
  let at = 0;
  const asked = { url: `http://${address}/`, everyMs, timeoutMs: TIMEOUT_MS };
  const report = await withTraffic(client.enter, asked, async (traffic) => {
    await delay(500);
    at = traffic.nowMs;
    await lose(victim);
    await delay(forMs);
  }).finally(() => giveBack?.(victim));
  const lastMs = lastTroubleMs(report) - at;
  measured.note(`${what}: requests`, wordsOf(report));
  measured.note(
    `${what}: the last request that failed, or needed a second packet`,
    `begun ${Math.round(lastMs)} ms after it`,
  );
  const isEndpoint = Object.keys(report.answers).some((text) => text.startsWith(`${victim.pod.name} `));
  assert.ok(isEndpoint, `it was an endpoint: ${JSON.stringify(report.answers)}`);
  return { report, lastMs, victim };
}

/** A server that has just begun to lead takes nobody's silence for an answer. */
async function settled(cluster: Scene["cluster"], name: string): Promise<void> {
  await until(`${name} is ready`, async () =>
    (await cluster.nodes()).some((node) => node.name === name && node.state === "ready"),
  );
}

/** Half of the hosts, the server with them, do not hear the other half. */
export async function halfIsCut({ cluster, measured }: Scene): Promise<void> {
  const { address } = await clusterAddress(cluster);
  const places = await copies(cluster);
  const [near] = places;
  assert.ok(near);
  const gone = cluster.agents.slice(places.length / 2);
  const rest = [cluster.server, ...cluster.agents.slice(0, places.length / 2)];
  const asked = { url: `http://${address}/`, everyMs: 10, timeoutMs: TIMEOUT_MS };
  const report = await withTraffic(near.enter, asked, async (traffic) => {
    for (const host of gone) cluster.lab.cut(host, rest);
    const at = traffic.nowMs;
    await delay(8000);
    measured.note("half of the hosts cut: since then", `${Math.round(traffic.nowMs - at)} ms`);
    for (const host of gone) cluster.lab.heal(host);
  });
  measured.note("half of the hosts cut: requests of the other half", wordsOf(report));
  const late = report.failures.filter(({ atMs }) => atMs > 5000 && atMs < 8000);
  assert.equal(late.length, 0, `the rest goes on: ${wordsOf({ ...report, failures: late })}`);
  await cluster.untilReady(cluster.agents);
  await wellAgain(cluster);
}

/** Every copy is asked through the Service from every host, and nothing fails. A copy may still be begun again meanwhile, in another place. */
export async function wellAgain(cluster: Scene["cluster"]): Promise<void> {
  const { address } = await clusterAddress(cluster);
  let seen = "";
  const isWell = async () => {
    const places = await copies(cluster);
    for (const place of places) {
      const said = await Promise.all(Array.from({ length: 20 }, () => ask(place, `http://${address}/`)));
      seen = [`${place.pod.name} asked, of ${places.map(({ pod }) => pod.name).join(" ")}`, ...said].join("\n");
      const answered = new Set(said.map((line) => line.split(" ")[0]));
      if (said.some((line) => !line.endsWith(" 1")) || answered.size !== places.length) return false;
    }
    return true;
  };
  await until(`every copy reaches all of ${WEB}`, isWell, { seen: () => seen, withinMs: 60_000, everyMs: 500 });
}
