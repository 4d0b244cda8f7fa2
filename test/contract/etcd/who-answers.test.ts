/** Which members of etcd answer, as `styr status` names them: one killed, one frozen. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { EtcdJournal } from "../../../src/store/journals/etcd/etcd-journal.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { openEtcdJournal } from "./open-etcd-journal.ts";

const skip = canRunEtcd() ?? false;

describe("of three members", { skip }, () => {
  let etcd: Etcd;
  let journal: EtcdJournal;
  before(async () => {
    etcd = await startEtcd({ members: 3 });
    journal = await openEtcdJournal(etcd.endpoints);
  });
  after(async () => {
    await journal?.close();
    etcd?.stop();
  });

  test("a journal that is closed asks nobody: a connection that is made afterwards would keep its process alive", async () => {
    const closed = await openEtcdJournal(etcd.endpoints);
    await closed.close();
    for (const { problem } of await closed.members()) assert.match(problem ?? "", /closed/);
  });

  const problems = async () => (await journal.members()).map(({ problem }) => problem);

  test("all answer; then one is killed, and two, and it is said which and why, within little more than a second", async () => {
    assert.deepEqual(await problems(), [undefined, undefined, undefined]);
    await etcd.members[2]?.kill9();
    const one = await problems();
    assert.deepEqual(one.slice(0, 2), [undefined, undefined]);
    assert.match(one[2] ?? "", /^connection refused/);
    etcd.members[1]?.freeze();
    const began = performance.now();
    assert.match((await problems())[1] ?? "", /^it did not answer within/);
    assert.ok(performance.now() - began < 3_000, "one that stands still holds up nobody");
    etcd.members[1]?.thaw();
  });
});
