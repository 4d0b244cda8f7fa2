/** Leaders as processes of their own, which are frozen and killed. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { openEtcdJournal } from "./open-etcd-journal.ts";
import { ServerProcess } from "./start-server-process.ts";

let etcd: Etcd;
const processes: ServerProcess[] = [];
const skip = canRunEtcd() ?? false;
before(async () => {
  if (!skip) etcd = await startEtcd();
});
after(async () => {
  for (const each of processes) await each.kill9();
  etcd?.stop();
});

async function server(name: string, prefix: string): Promise<ServerProcess> {
  const started = new ServerProcess(name, prefix, etcd.endpoints);
  processes.push(started);
  await started.hears("loaded");
  return started;
}

async function keysIn(prefix: string): Promise<readonly string[]> {
  const journal = await openEtcdJournal(etcd.endpoints, { prefix });
  const { rows } = await journal.load();
  await journal.close();
  return rows.map(({ key }) => key).sort();
}

describe("etcd: a leader that stands still", { skip }, () => {
  test("it is frozen, another takes over and writes; thawed, its write is refused and it steps down and follows", async () => {
    const prefix = "/frozen/";
    const [a, b] = [await server("a", prefix), await server("b", prefix)];
    a.say("campaign");
    await a.hears("leads");
    a.say("append first");
    await a.hears("wrote");
    b.say("campaign");
    a.freeze();
    const leads = await b.hears("leads");
    assert.deepEqual(leads, { leads: 2 });
    b.say("append second");
    await b.hears("wrote");
    // It lies in the pipe when the process wakes: the write is the first thing that it does.
    a.say("append stale");
    a.thaw();
    const refused = await a.hears("refused");
    assert.equal(refused.by, "JournalRefusal");
    const deposed = await a.hears("deposed");
    assert.match(String(deposed.deposed), /could not be renewed in time|b leads now|another server/);
    assert.deepEqual(await a.hears("heard"), { heard: ["second"] });
    assert.deepEqual(await keysIn(prefix), ["first", "second"]);
    a.say("campaign");
    await b.kill9();
    assert.deepEqual(await a.hears("leads", a.told.length), { leads: 3 });
    a.say("append third");
    await a.hears("wrote", a.told.length - 1);
    assert.deepEqual(await keysIn(prefix), ["first", "second", "third"]);
  });

  test("it is killed, and another writes within its lease and a little", async () => {
    const prefix = "/killed/";
    const [a, b] = [await server("a", prefix), await server("b", prefix)];
    a.say("campaign");
    await a.hears("leads");
    b.say("campaign");
    a.say("append first");
    await a.hears("wrote");
    const from = performance.now();
    await a.kill9();
    await b.hears("leads");
    b.say("append second");
    await b.hears("wrote");
    const tookMs = performance.now() - from;
    // The lease is 1.5 s here; with the default of 3 s it is twice that, and within 5 s.
    assert.ok(tookMs < 2_500, `writes went on after ${Math.round(tookMs)} ms`);
    assert.deepEqual(await keysIn(prefix), ["first", "second"]);
  });
});
