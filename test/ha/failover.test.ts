/** Three real servers on three real etcd members: what a user notices when the leader dies, stands still, or goes. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { canRunEtcd } from "../harness/etcd.ts";
import type { Answer } from "./ask-server.ts";
import { type ServerProcess, type ServerProcesses, startServers } from "./server-processes.ts";

const PATH = "/api/v1/namespaces/default/configmaps";
const body = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
const create = (at: ServerProcess, name: string): Promise<Answer> =>
  at.call({ method: "POST", path: PATH, body: body(name) });

describe("three servers on three etcd members", { skip: canRunEtcd() }, () => {
  let cluster: ServerProcesses;
  before(async () => {
    cluster = await startServers(3);
  });
  after(() => cluster.stop());

  const others = (than: ServerProcess) => cluster.servers.filter((one) => one !== than);
  const namesAt = async (server: ServerProcess): Promise<readonly string[]> => {
    const { text } = await server.call({ path: PATH });
    return (JSON.parse(text).items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  };
  const untilAllHave = async (names: readonly string[]) => {
    const deadline = performance.now() + 10_000;
    for (const server of cluster.servers) {
      for (let have = await namesAt(server); names.some((name) => !have.includes(name)); have = await namesAt(server)) {
        assert.ok(performance.now() < deadline, `${server.name} lacks ${names.filter((name) => !have.includes(name))}`);
        await sleep(20);
      }
    }
  };

  test("what is created through any of them is read back there at once", async () => {
    for (const server of cluster.servers) {
      for (let n = 0; n < 5; n++) {
        const name = `first-${server.name}-${n}`;
        const made = await create(server, name);
        assert.equal(made.status, 201, made.text);
        assert.equal((await server.call({ path: `${PATH}/${name}` })).status, 200, `${name} at ${server.name}`);
      }
    }
  });

  test("after kill -9 of the leader writes go on within 5 s, no acknowledged one is lost, none is made twice, and a watch goes on", async (t) => {
    const leader = await cluster.leader();
    const [one, two] = others(leader) as [ServerProcess, ServerProcess];
    const watched = await one.stream(`${PATH}?watch=true`);
    const atLeader = await leader.stream(`${PATH}?watch=true`);
    const acknowledged: string[] = [];
    const refused: Answer[] = [];
    let longestMs = 0;
    const writing = (async () => {
      for (let n = 0; n < 100; n++) {
        const name = `kill-${String(n).padStart(3, "0")}`;
        const began = performance.now();
        const answer = await create(n % 2 === 0 ? one : two, name);
        longestMs = Math.max(longestMs, performance.now() - began);
        if (answer.status === 201) acknowledged.push(name);
        else refused.push(answer);
        if (n === 30) await leader.kill9();
      }
    })();
    await writing;
    t.diagnostic(`kill -9 of the leader: the longest write took ${longestMs.toFixed(0)} ms`);
    assert.ok(longestMs < 5_000, `a write took ${longestMs.toFixed(0)} ms`);
    // Only what was under way at that moment may be of unknown fate.
    assert.ok(acknowledged.length >= 99, refused.map(({ text }) => text).join("\n"));
    await leader.start();
    await untilAllHave(acknowledged);
    const heard = [...watched.text().matchAll(/"type":"ADDED".*?"name":"(kill-\d+)"/g)].map(([, name]) => name);
    assert.deepEqual(heard.filter((name) => acknowledged.includes(name ?? "")).sort(), acknowledged);
    watched.close();
    // A watch at the leader itself broke; at another server it goes on from what it had heard last.
    await atLeader.ended;
    const last = [...atLeader.text().matchAll(/"resourceVersion":"(\d+)"/g)].at(-1)?.[1];
    const goneOn = await two.stream(`${PATH}?watch=true&resourceVersion=${last}`);
    await cluster.until("the watch has gone on", () => goneOn.text().includes(`"${acknowledged.at(-1)}"`));
    const all = [...(atLeader.text() + goneOn.text()).matchAll(/"type":"ADDED".*?"name":"(kill-\d+)"/g)];
    assert.deepEqual(
      all.map(([, name]) => name).filter((name) => acknowledged.includes(name ?? "")),
      acknowledged,
    );
    goneOn.close();
  });

  test("a leader that stands still is succeeded, and when it goes on it has acknowledged nothing and follows", async (t) => {
    const leader = await cluster.leader();
    const [one] = others(leader) as [ServerProcess];
    leader.freeze();
    const frozen = performance.now();
    const meant = Promise.allSettled([create(leader, "said-to-the-frozen")]);
    // One that was on its way to the frozen leader is of unknown fate, and says so; the next one is taken.
    const unknown = await create(one, "on-its-way");
    assert.ok([201, 504].includes(unknown.status), unknown.text);
    const made = await create(one, "while-frozen");
    const tookMs = performance.now() - frozen;
    t.diagnostic(`SIGSTOP of the leader: writes again after ${tookMs.toFixed(0)} ms`);
    leader.thaw();
    assert.equal(made.status, 201, made.text);
    assert.ok(tookMs < 5_000, `${tookMs.toFixed(0)} ms`);
    const [settled] = await meant;
    assert.equal(settled.status, "fulfilled");
    const answer = (settled as PromiseFulfilledResult<Answer>).value;
    const names = await namesAt(one);
    if (answer.status === 201) await untilAllHave(["said-to-the-frozen"]);
    else assert.ok(!names.includes("said-to-the-frozen"), answer.text);
    const next = await cluster.leader();
    assert.notEqual(next, leader);
    const after = await create(leader, "after-thawing");
    assert.equal(after.status, 201, after.text);
    await untilAllHave(["while-frozen", "after-thawing"]);
  });

  test("a leader that is asked to stop hands over in less than a second", async (t) => {
    const leader = await cluster.leader();
    const [one] = others(leader) as [ServerProcess];
    let [longestMs, isOver] = [0, false];
    const names: string[] = [];
    const writing = (async () => {
      for (let n = 0; !isOver || n % 10 !== 0; n++) {
        const began = performance.now();
        const answer = await create(one, `stop-${n}`);
        assert.equal(answer.status, 201, answer.text);
        names.push(`stop-${n}`);
        longestMs = Math.max(longestMs, performance.now() - began);
      }
    })();
    await leader.end();
    await cluster.leader();
    isOver = true;
    await writing;
    t.diagnostic(`SIGTERM of the leader: the longest write took ${longestMs.toFixed(0)} ms`);
    assert.ok(longestMs < 1_000, `a write took ${longestMs.toFixed(0)} ms`);
    await leader.start();
    await untilAllHave(names);
  });

  test("restarted one after the other, as for an upgrade, no write at the others fails", async (t) => {
    let [longestMs, count, isOver] = [0, 0, false];
    let [at] = cluster.servers as [ServerProcess];
    const failed: string[] = [];
    const writing = (async () => {
      for (; !isOver; count++) {
        const began = performance.now();
        const { status, text } = await create(at, `rolling-${count}`);
        if (status !== 201) failed.push(text);
        longestMs = Math.max(longestMs, performance.now() - began);
      }
    })();
    for (const [index, server] of cluster.servers.entries()) {
      at = cluster.servers[(index + 1) % 3] as ServerProcess;
      // What was asked of the one that stops is answered.
      const before = count;
      await cluster.until("two more are written", () => count >= before + 2);
      await server.end();
      await server.start();
    }
    isOver = true;
    await writing;
    t.diagnostic(`three restarts: ${count} writes, the longest took ${longestMs.toFixed(0)} ms`);
    assert.deepEqual(failed, []);
    assert.ok(longestMs < 2_000, `${longestMs.toFixed(0)} ms`);
  });

  test("with the majority of etcd gone reads go on and writes are refused in words; then all is as before", async () => {
    const [first, second] = cluster.etcd.members;
    await Promise.all([first?.kill9(), second?.kill9()]);
    const [server] = cluster.servers as [ServerProcess];
    const deadline = performance.now() + 15_000;
    let answer = await create(server, "lost");
    while (answer.status === 201) {
      assert.ok(performance.now() < deadline, "writes are refused");
      answer = await create(server, `lost-${performance.now().toFixed(0)}`);
    }
    assert.ok([503, 504].includes(answer.status), answer.text);
    for (const one of cluster.servers) assert.equal((await one.call({ path: PATH })).status, 200, one.name);
    await Promise.all([first?.start(), second?.start()]);
    await cluster.leader();
    let made = await create(server, "back");
    while (made.status !== 201) {
      assert.ok(performance.now() < deadline + 20_000, made.text);
      await sleep(100);
      made = await create(server, "back");
    }
    await untilAllHave(["back"]);
  });
});
