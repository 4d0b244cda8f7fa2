/** What a keeper bears: many records, many questions, clients that do not read; and what its clients do when it stands still. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import type { ProcessInfo } from "../../../src/drivers/keeper/keeper.ts";
import type { KeeperClient } from "../../../src/drivers/keeper/keeper-client.ts";
import { type Answer, LineReader, LONGEST_ANSWER, lineOf } from "../../../src/drivers/keeper/protocol.ts";
import { Records } from "../../../src/drivers/keeper/records.ts";
import { openConnection } from "../../../src/drivers/keeper/start-keeper.ts";
import { ProcessDriver } from "../../../src/drivers/process/process-driver.ts";
import { freezeProcess } from "../../harness/freeze-process.ts";
import { eventually } from "../driver/observer.ts";
import { cannotKeepProcesses, type NodePlace, openNodePlace } from "./node-place.ts";

const RECORDS = 1000;
const QUESTIONS = 200;
const MEBIBYTE = 1024 * 1024;

describe("keeper: load", { skip: cannotKeepProcesses() ?? false }, () => {
  let node: NodePlace;
  let keeper: KeeperClient;
  before(async () => {
    node = openNodePlace("keeper-load");
    const records = new Records(node.stateDir);
    for (let at = 0; at < RECORDS; at++) records.save(exited(`pod-${at}/web/0/process`, node.dir));
    keeper = node.connect();
    await keeper.pid();
  });
  after(() => node?.close());

  test("200 lists of 1,000 changing records for a client that does not read cost no memory, and all are answered", async () => {
    const pid = await keeper.pid();
    const before = mostResident(pid);
    const socket = await ask(QUESTIONS);
    await eventually("the first list", async () => socket.readableLength > 0 || undefined);
    assert.equal((await keeper.list("pod-999/")).length, 1, "others are answered meanwhile");
    const answers = await readAnswers(socket, 2 * QUESTIONS);
    assert.deepEqual(
      answers
        .map((answer) => ("result" in answer ? answer.result : answer))
        .filter((result) => result !== null)
        .map((result) => (result as readonly ProcessInfo[]).length),
      Array.from({ length: QUESTIONS }, (_, at) => RECORDS - at - 1),
    );
    assert.equal(await keeper.pid(), pid, "it lives");
    const grown = mostResident(pid) - before;
    assert(grown < 40 * MEBIBYTE, `it grew by ${Math.round(grown / MEBIBYTE)} MiB`);
  });

  test("who asks for the list while it is on its way gets the same one, but not from before a start", async () => {
    const [one, two] = await Promise.all([keeper.list(), keeper.list()]);
    assert.equal(one, two);
    const before = keeper.list();
    const spec = node.spec("shared", ["/bin/true"]);
    const started = keeper.spawn(spec);
    const after = keeper.list();
    await started;
    assert.equal(
      (await before).some(({ id }) => id === spec.id),
      false,
    );
    assert((await after).some(({ id }) => id === spec.id));
    assert.equal((await keeper.get(spec.id))?.id, spec.id);
    assert.equal(await keeper.get(spec.id.slice(0, -1)), undefined, "an id is no prefix");
  });

  test("a keeper that stands still is told of within seconds, by those connected and by new ones, until it goes on", async () => {
    const pid = await keeper.pid();
    const driver = new ProcessDriver({ keeper, tree: node.tree, dataDir: node.dir });
    const reason = `the process keeper cannot be reached: it does not answer (pid ${pid})`;
    freezeProcess(pid);
    try {
      const [report, asked, fresh] = await Promise.all([
        driver.describe(),
        keeper.list().catch((error: Error) => error.message),
        node
          .connect()
          .pid()
          .catch((error: Error) => error.message),
      ]);
      assert.deepEqual([report, asked, fresh], [{ ready: false, reason }, reason, reason]);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await eventually("the driver to be ready again", async () => (await driver.describe()).ready || undefined);
    assert.equal(await keeper.pid(), pid);
  });

  /** Lists, and before each a record less, so that no two are the same. */
  async function ask(count: number): Promise<Socket> {
    const socket = await openConnection(node.stateDir);
    assert(socket);
    socket.pause();
    for (let at = 0; at < count; at++) {
      socket.write(lineOf({ seq: 2 * at, call: "forget", args: { id: `pod-${at}/web/0/process` } }));
      socket.write(lineOf({ seq: 2 * at + 1, call: "list", args: null }));
    }
    return socket;
  }
});

function exited(id: string, dir: string) {
  const cgroup = id.replace("/0/process", ".0");
  const info = {
    id,
    pid: 1,
    state: "exited",
    cgroup,
    logDir: `${dir}/logs/${"long/".repeat(60)}${cgroup}`,
    startedAtMs: 1,
    exitCode: 0,
  } as const;
  return { info, logBytes: 1, startTicks: 1, bootId: "earlier", oomKillsBefore: 0 };
}

async function readAnswers(socket: Socket, count: number): Promise<readonly Answer[]> {
  const reader = new LineReader(LONGEST_ANSWER);
  const answers: Answer[] = [];
  socket.setEncoding("utf8");
  for await (const text of socket) {
    answers.push(...(reader.read(text as string) as readonly Answer[]));
    if (answers.length >= count) break;
  }
  return answers;
}

/** The most a process has had in memory, in bytes (proc(5)). */
function mostResident(pid: number): number {
  const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}
