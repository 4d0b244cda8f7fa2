/** An agent's two links to several servers, over real WebSockets: reconnecting, news, and heartbeats from a thread of their own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { HeartbeatNews } from "../../../src/agent/heartbeat/heartbeat-loop.ts";
import { LinkHeartbeats } from "../../../src/agent/heartbeat/link-heartbeats.ts";
import type { Way } from "../../../src/agent/heartbeat/thread-messages.ts";
import { RemoteControl } from "../../../src/agent/remote/remote-control.ts";
import { Servers } from "../../../src/agent/remote/servers.ts";
import { AGENT_PATH, AGENT_PROTOCOL } from "../../../src/dispatcher/agent-api.ts";
import type { ClusterNews } from "../../../src/model/cluster-news.ts";
import type { TlsMaterial } from "../../../src/network/link/web-socket-dialer.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { createPod, Told } from "../control/stage.ts";
import { openDispatcher } from "./stages.ts";
import { dialerTo, makeTrust, openDoor, type TestDoor, type Trust, until } from "./tls-stage.ts";

const WORDS = { path: `${AGENT_PATH}?version=0.1.0`, protocol: AGENT_PROTOCOL };

describe("an agent over TLS", () => {
  let trust: Trust;
  let material: TlsMaterial;

  before(async () => {
    trust = await makeTrust();
    material = await trust.client("n1");
  });
  after(() => trust.close());

  /** A server's process may come and go; the port stays. */
  async function server() {
    const parts = await openDispatcher();
    const listen = (port = 0) => openDoor(trust, (peer) => (link) => parts.dispatcher.accept(link, peer), [], port);
    return { ...parts, listen, door: await listen() };
  }

  function controlTo(urls: readonly string[], first: string) {
    const servers = new Servers(urls, new SeededRandom(1), (url) => dialerTo(url, material), first);
    const control = new RemoteControl({
      ...{ clock: new SystemClock(), random: new SeededRandom(2), log: silentLog },
      get dialers() {
        return servers.dialers;
      },
    });
    return { servers, control };
  }

  test("when its server stops it is at another within seconds, and is told everything there", async () => {
    const [one, two] = [await server(), await server()];
    await createPod(two.store, "web", "n1");
    const { control, servers } = controlTo([one.door.url, two.door.url], one.door.url);
    const told = new Told();
    control.watchPods("n1", (assignments) => told.take(assignments), new AbortController().signal);
    await until("it is at the first", () => one.dispatcher.hasLinkOf("n1") && told.batches.length === 1);
    assert.equal(servers.reached, one.door.url);
    await one.door.close();
    await until("it is at the second", () => two.dispatcher.hasLinkOf("n1"));
    await until("it is told what is assigned there", () => told.agrees(two.store, "n1"));
    assert.equal(servers.reached, two.door.url);
    assert.equal(control.state.links, 2);
    control.close("over");
    await two.door.close();
    for (const { dispatcher } of [one, two]) dispatcher.stop();
  });

  test("news come with the session, and again when they change", async () => {
    let news: ClusterNews = { clusterId: "c1", servers: ["https://a:7443"], caPem: "CA", signingCa: "hash" };
    const { dispatcher, store } = await openDispatcher(() => news);
    const door = await openDoor(trust, (peer) => (link) => dispatcher.accept(link, peer));
    const { control } = controlTo([door.url], door.url);
    const heard: ClusterNews[] = [];
    control.watchCluster((it) => heard.push(it), new AbortController().signal);
    await until("the news are there", () => heard.length === 1);
    assert.deepEqual(heard[0], news);
    dispatcher.tellNews();
    news = { ...news, servers: ["https://a:7443", "https://b:7443"] };
    dispatcher.tellNews();
    await until("the change is there", () => heard.length === 2);
    assert.deepEqual(heard[1]?.servers, ["https://a:7443", "https://b:7443"]);
    control.close("over");
    dispatcher.stop();
    await Promise.all([door.close(), store.close()]);
  });

  test("heartbeats have a link of their own, and find another server; a program that does not run refuses them", async () => {
    const [one, two] = [await server(), await server()];
    const way: Way = { servers: [one.door.url, two.door.url], first: one.door.url, material, ...WORDS };
    const heartbeats = new LinkHeartbeats(way, new SystemClock());
    const heard: HeartbeatNews[] = [];
    heartbeats.start({ node: "n1", bootId: "b1", session: "s1" }, (it) => heard.push(it));
    await until("the first server is beaten to", () => one.leases.beats.length >= 2);
    assert.ok(heard.every(({ outcome }) => outcome === "renewed"));
    assert.equal(one.dispatcher.hasLinkOf("n1"), false);
    await one.door.close();
    await until("the second server is beaten to", () => two.leases.beats.length >= 2);
    await two.door.close();
    await until("nobody is there, and says so", () => heard.at(-1)?.outcome === "refused");
    const again: TestDoor = await two.listen(Number(new URL(two.door.url).port));
    const before = two.leases.beats.length;
    await until("it beats again", () => two.leases.beats.length > before, 15_000);
    heartbeats.stop();
    await again.close();
    for (const { dispatcher } of [one, two]) dispatcher.stop();
  });

  test("other servers and another certificate are used from the next link on", async () => {
    const [one, two] = [await server(), await server()];
    const stranger = await makeTrust();
    const way: Way = { servers: [one.door.url], material: await stranger.client("n1"), ...WORDS };
    const heartbeats = new LinkHeartbeats(way, new SystemClock());
    const heard: HeartbeatNews[] = [];
    heartbeats.start({ node: "n1", bootId: "b1", session: "s1" }, (it) => heard.push(it));
    heartbeats.change({ servers: [two.door.url], material });
    await until("the other server is beaten to", () => two.leases.beats.length >= 1, 15_000);
    assert.equal(one.leases.beats.length, 0);
    heartbeats.stop();
    for (const { dispatcher, door } of [one, two]) {
      await door.close();
      dispatcher.stop();
    }
    await stranger.close();
  });

  test("heartbeats go on while the agent's own thread stands still for 20 s, and say that it does", async () => {
    const { door, dispatcher, leases } = await server();
    const way: Way = { servers: [door.url], material, ...WORDS };
    const agent = spawn(
      process.execPath,
      [join(import.meta.dirname, "blocked-agent.ts"), JSON.stringify({ way, stillMs: 20_000 })],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let said = "";
    agent.stdout.on("data", (data) => (said += data));
    const ended = new Promise<void>((resolve) => agent.once("close", () => resolve()));
    await until("it stands still", () => said.includes("still"));
    const before = leases.beats.length;
    await until("it moves again", () => said.includes("moves"), 30_000);
    const beats = leases.beats.slice(before);
    assert.ok(beats.length >= 15, `${beats.length} heartbeats in 20 s`);
    assert.ok(beats.some(({ health }) => health === "agent-stalled"));
    await until("it is well again", () => leases.beats.at(-1)?.health === "ok");
    await ended;
    await door.close();
    dispatcher.stop();
  });
});
