/** Servers with real sockets between them: what a follower passes on, and what it answers itself. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { renderOriginal } from "../../src/app/server/original.ts";
import { echoAccess } from "../cli/server.ts";
import type { Answer } from "./ask-server.ts";
import { type ServerHere, ServersHere } from "./servers-here.ts";

const PATH = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: "1" } });

describe("of three servers", () => {
  let cluster: ServersHere;
  let leader: ServerHere;
  let follower: ServerHere;
  before(async () => {
    cluster = await ServersHere.open(3, echoAccess);
    leader = cluster.leader as ServerHere;
    follower = cluster.followers[0] as ServerHere;
  });
  after(() => cluster.stop());

  const create = (at: ServerHere, name: string): Promise<Answer> =>
    at.call({ method: "POST", path: PATH, body: configMap(name) });

  test("a follower takes writes, and what it has answered it reads itself at once, however late it hears of it", async () => {
    cluster.memory.delayMs = 150;
    for (const name of ["a", "b", "c"]) {
      const made = await create(follower, name);
      assert.equal(made.status, 201, made.text);
      assert.equal(follower.life.plane?.leads, false);
      const read = await follower.call({ path: `${PATH}/${name}` });
      assert.equal(read.status, 200, read.text);
      assert.equal(JSON.parse(read.text).metadata.resourceVersion, JSON.parse(made.text).metadata.resourceVersion);
    }
    cluster.memory.delayMs = 0;
  });

  test("refusals come back in the dialect's own words", async () => {
    const again = await create(follower, "a");
    assert.equal(again.status, 409);
    assert.equal(JSON.parse(again.text).reason, "AlreadyExists");
    const bad = await follower.call({ method: "POST", path: "/v2/apps", body: { id: "/x y" } });
    assert.equal(bad.status, 422, bad.text);
    assert.ok(JSON.parse(bad.text).details);
  });

  test("who asks at a follower has his own rights at the leader, and his name there", async () => {
    const actor = { name: "eve", roles: ["viewer"] as const };
    const original = renderOriginal({ actor, remoteAddress: "10.0.0.9", origin: "https://x" });
    const headers = { "styrmann-actor": original };
    const write = await leader.call({ method: "POST", path: PATH, body: configMap("e"), as: "server", headers });
    assert.equal(write.status, 403);
    assert.match(write.text, /eve/);
    assert.equal((await leader.call({ path: PATH, as: "server", headers })).status, 200);
  });

  test("nobody but a server is believed to speak for another", async () => {
    const actor = { name: "admin", roles: ["admin"] as const };
    const headers = { "styrmann-actor": renderOriginal({ actor, remoteAddress: "", origin: "https://x" }) };
    for (const as of ["admin", "nobody"] as const)
      assert.equal((await leader.call({ path: PATH, as, headers })).status, 401);
    const broken = { "styrmann-actor": "bm90IGpzb24" };
    assert.equal((await leader.call({ path: PATH, as: "server", headers: broken })).status, 401);
  });

  test("a request that was passed on once is not passed on again", async () => {
    const actor = { name: "admin", roles: ["admin"] as const };
    const headers = { "styrmann-actor": renderOriginal({ actor, remoteAddress: "", origin: "https://x" }) };
    const answer = await follower.call({ path: PATH, as: "server", headers });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers["styrmann-not-leading"], "1");
  });

  test("reads that need the leader's memory are answered by it, the others here", async () => {
    const status = JSON.parse((await follower.call({ path: "/styr/v1/status" })).text);
    assert.equal(status.node, leader.name);
    const marathon = JSON.parse((await follower.call({ path: "/v2/leader" })).text);
    assert.equal(`https://${marathon.leader}`, leader.url);
    const info = JSON.parse((await follower.call({ path: "/v2/info" })).text);
    assert.equal(info.marathon_config.ha, true);
    for (const path of ["/v2/apps", "/v2/leader"])
      assert.equal((await follower.call({ path })).headers["x-marathon-leader"], leader.url, path);
    const version = JSON.parse((await follower.call({ path: "/styr/v1/version" })).text);
    assert.equal(version.node, follower.name);
  });

  test("a server registers only itself, and is shown with the one that leads", async () => {
    const path = (name: string) => `/styr/v1/servers/${name}`;
    const body = { url: follower.url, version: "0.1.0", revision: follower.life.plane?.revision };
    const wrong = await follower.call({ method: "PUT", path: path(leader.name), body, as: "server" });
    assert.equal(wrong.status, 403);
    const own = await follower.call({ method: "PUT", path: path(follower.name), body, as: "server" });
    assert.equal(own.status, 204, own.text);
    const { servers } = JSON.parse((await follower.call({ path: "/styr/v1/servers" })).text);
    assert.deepEqual(
      servers.map(({ name, state, behind }: Record<string, unknown>) => [name, state, behind]),
      [[follower.name, "follows", 0]],
    );
  });

  test("a watch at a follower hears what is written at another", async () => {
    const watched = await follower.stream(`${PATH}?watch=true`);
    await create(leader, "w1");
    await create(cluster.followers[1] as ServerHere, "w2");
    await cluster.until("both are heard of", () => /"w1"[\s\S]*"w2"/.test(watched.text()));
    watched.close();
  });
});

describe("when the leader goes", () => {
  test("it hands over at once, writes go on, and watches at followers, too; nothing is written twice", async () => {
    const cluster = await ServersHere.open(3, echoAccess);
    try {
      const [first, other] = [cluster.leader as ServerHere, cluster.followers[0] as ServerHere];
      const watched = await other.stream(`${PATH}?watch=true`);
      const answers: Answer[] = [];
      const writing = (async () => {
        for (let n = 0; n < 60; n++)
          answers.push(await other.call({ method: "POST", path: PATH, body: configMap(`n${n}`) }));
      })();
      await cluster.until("some are written", () => answers.length > 10);
      const began = performance.now();
      await first.life.handOver();
      const tookMs = performance.now() - began;
      await writing;
      assert.ok(tookMs < 1000, `handing over took ${tookMs.toFixed(0)} ms`);
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
      await cluster.until("the watch has heard of all", () => watched.text().includes('"n59"'));
      assert.equal(watched.text().match(/"type":"ADDED"/g)?.length, 60);
      watched.close();
    } finally {
      await cluster.stop();
    }
  });

  test("while nobody leads, status and lists are answered by whoever is asked, and a write says why it cannot be", async () => {
    const cluster = await ServersHere.open(1, echoAccess);
    try {
      const [server] = cluster.servers as [ServerHere];
      const path = "/api/v1/namespaces/default/replicationcontrollers";
      const metadata = { name: "web", labels: { a: "b" } };
      const template = { metadata, spec: { containers: [{ name: "main", image: "x" }] } };
      const body = { apiVersion: "v1", kind: "ReplicationController", metadata, spec: { replicas: 1, template } };
      assert.equal((await server.call({ method: "POST", path, body })).status, 201);
      cluster.memory.nobodyLeads = true;
      cluster.memory.depose("the lease ran out");
      const status = JSON.parse((await server.call({ path: "/styr/v1/status" })).text);
      assert.equal(status.store.refusal, "no server leads at present");
      const silent = status.servers?.filter(({ state }: { state: string }) => state === "silent");
      assert.deepEqual(silent, [], "the one that answers is not silent");
      const why = await server.call({ path: "/styr/v1/workloads/web/why" });
      assert.equal(why.status, 200, why.text);
      assert.match(JSON.parse(why.text).summary, /no server leads at present: this is as it was known last/);
      assert.equal((await server.call({ path: PATH })).status, 200);
      const refused = await server.call({ method: "POST", path: PATH, body: configMap("x") });
      assert.equal(refused.status, 503);
      assert.match(refused.text, /no server leads at present.*goes on running/);
    } finally {
      await cluster.stop();
    }
  });

  test("a deposed leader goes on as a follower with the same watches, and its writes go to the new one", async () => {
    const cluster = await ServersHere.open(2, echoAccess);
    try {
      const first = cluster.leader as ServerHere;
      const watched = await first.stream(`${PATH}?watch=true`);
      cluster.memory.depose("the lease ran out");
      await cluster.until("the other one leads", () => cluster.leader !== undefined && cluster.leader !== first);
      const made = await first.call({ method: "POST", path: PATH, body: configMap("after") });
      assert.equal(made.status, 201, made.text);
      await cluster.until("the watch goes on", () => watched.text().includes('"after"'));
      watched.close();
    } finally {
      await cluster.stop();
    }
  });

  test("a follower whose journal was compacted loads it anew and goes on", async () => {
    const cluster = await ServersHere.open(2, echoAccess);
    try {
      const other = cluster.followers[0] as ServerHere;
      const before = other.life.plane;
      cluster.memory.compact();
      await cluster.until("another plane is there", () => other.life.plane !== before);
      const made = await other.call({ method: "POST", path: PATH, body: configMap("anew") });
      assert.equal(made.status, 201, made.text);
      assert.equal((await other.call({ path: `${PATH}/anew` })).status, 200);
    } finally {
      await cluster.stop();
    }
  });
});
