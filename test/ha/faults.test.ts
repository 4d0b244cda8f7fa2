/** Whole servers whose ways to etcd and to each other are harmed at any moment: none of them ends, and afterwards they serve as before. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "../../src/seams/random.ts";
import { whatWentAstray } from "../harness/astray.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../harness/etcd.ts";
import { FAULTS } from "../harness/fault-proxy.ts";
import { type HalfHere, HalvesHere } from "./halves-here.ts";

const ROUNDS = Number(process.env.STYR_FAULT_ROUNDS ?? 200);
const SEED = process.env.STYR_FAULT_SEED ?? String(process.pid);
const PATH = "/api/v1/namespaces/default/configmaps";
const skip = canRunEtcd() ?? false;

describe("servers whose connections are harmed at any moment", { skip }, () => {
  let etcd: Etcd;
  let cluster: HalvesHere;
  before(async () => {
    etcd = await startEtcd({ members: 3 });
    cluster = await HalvesHere.open(3, etcd);
  });
  after(async () => {
    await cluster?.stop();
    etcd?.stop();
  });

  test(`none ends, and all take writes again (seed ${SEED})`, { timeout: 300_000 }, async () => {
    const random = new SeededRandom(SEED);
    const astray = whatWentAstray();
    await untilTaken(cluster.halves, "before");
    const over = new AbortController();
    const users = cluster.halves.map((half, n) => use(half, n, over.signal));
    for (let round = 0; round < ROUNDS; round++) {
      cluster.proxies[random.int(cluster.proxies.length)]?.harm(FAULTS[random.int(FAULTS.length)] ?? "reset");
      await sleep(random.int(100));
      if (random.int(4) === 0) cluster.mend();
      // Long enough that leases run out and another leads.
      if (round % 50 === 49) await sleep(3_500);
    }
    cluster.mend();
    over.abort();
    await untilTaken(cluster.halves, "afterwards");
    await Promise.all(users);
    astray.stop();
    assert.deepEqual(astray.said, []);
    for (const { process, said, name } of cluster.halves)
      assert.equal(process.stopping.signal.aborted, false, `${name} stops: ${said.join("\n")}`);
  });
});

/** A user who writes and watches there, and is told often enough that it does not work. */
async function use(half: HalfHere, n: number, over: AbortSignal): Promise<void> {
  for (let count = 0; !over.aborted; count++) {
    const name = `c${n}-${count}`;
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name } };
    const asked = half.call({ method: "POST", path: PATH, body, withinMs: 15_000 }).catch((error: Error) => error);
    const watched = await half.stream(`${PATH}?watch=true`).catch((error: Error) => error);
    await asked;
    if (!(watched instanceof Error)) watched.close();
  }
}

async function untilTaken(halves: readonly HalfHere[], when: string): Promise<void> {
  const untilMs = performance.now() + 30_000;
  for (const half of halves) {
    for (let n = 0; ; n++) {
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `${half.name}-${when}-${n}` } };
      const answer = await half.call({ method: "POST", path: PATH, body }).catch((error: Error) => error);
      if (!(answer instanceof Error) && answer.status === 201) break;
      const text = answer instanceof Error ? answer.message : answer.text;
      assert.ok(performance.now() < untilMs, `${when} ${half.name} takes no write: ${text}`);
      await sleep(200);
    }
  }
}
