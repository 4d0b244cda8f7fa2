import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { setNoSpace, startMember } from "../harness/etcd.ts";
import type { Host } from "../harness/host.ts";
import { disturbed } from "../harness/pods.ts";
import { STYR } from "../harness/styr.ts";
import { until } from "../harness/wait.ts";
import { CONFIG_MAPS, missingAt, removeAll, Writes } from "../harness/writes.ts";
import { type Scene, STEADY } from "./scenario.ts";

const FULL_MS = 15_000;
const NO_SPACE_MS = 12_000;
/** Enough for etcd's log to need more than it has set aside: a segment of 64 MiB. */
const WRITE_BYTES = 400_000;

/** Not a byte is left on the disk that has the leader's state and its etcd member, while clients write through every server. */
export async function fullDiskOnLeader({ cluster, measured }: Scene): Promise<void> {
  const leader = await cluster.leader();
  assert.ok(leader, "somebody leads");
  const before = await cluster.pods(STEADY);
  const writes = new Writes({
    client: cluster.client,
    servers: cluster.servers,
    name: "full",
    bytes: WRITE_BYTES,
    everyMs: 50,
  });
  await delay(1000);
  await fill(leader);
  await delay(FULL_MS);
  rmSync(fillerOf(leader));
  measured.note("full disk on the leader: its etcd member", leader.runs("etcd") ? "ran on" : "ended");
  // A service manager would have tried all the time.
  if (!leader.runs("etcd")) startMember(leader, cluster.servers);
  await cluster.membersHealthy();
  if (!leader.runs(STYR)) await cluster.boot(leader);
  await delay(3000);
  const { acknowledged, refusals, longestGapMs } = await writes.stop();
  measured.note("full disk on the leader: writes", `${acknowledged.length} acknowledged, ${refusals.length} refused`);
  measured.seconds("full disk on the leader: longest time without a write", longestGapMs);
  for (const host of cluster.servers)
    assert.deepEqual(await missingAt(cluster.client, host, acknowledged), [], "nothing that was acknowledged is lost");
  assert.deepEqual(disturbed(before, await cluster.pods(STEADY)), [], "no pod felt it");
  await removeAll(cluster.client, cluster.server, acknowledged);
}

/** What every etcd member does when its quota is used up: it refuses writes until somebody has made room. */
export async function etcdWithoutSpace({ cluster, measured }: Scene): Promise<void> {
  const before = await cluster.pods(STEADY);
  const write = (host: Host) => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `no-space-${host.name}` } };
    return cluster.client.ask(host, CONFIG_MAPS, { method: "POST", body });
  };
  await setNoSpace(cluster.servers, true);
  try {
    const refused = await Promise.all(cluster.servers.map(write));
    measured.note("etcd without space: a write is answered", `${refused[0]?.status} ${words(refused[0]?.text ?? "")}`);
    for (const { status, text } of refused) assert.match(`${status} ${text}`, /^503 .*space/s);
    // Longer than a leader's lease, and than a node may be silent.
    await delay(NO_SPACE_MS);
    assert.deepEqual(disturbed(before, await cluster.pods(STEADY)), [], "nothing is stopped for want of a store");
    for (const host of cluster.servers)
      assert.equal((await cluster.client.ask(host, CONFIG_MAPS)).status, 200, "reads go on");
  } finally {
    await setNoSpace(cluster.servers, false);
  }
  const again = await until("writes go on", async () => (await write(cluster.server)).status === 201);
  measured.seconds("etcd without space: writes again after there is room", again);
  assert.deepEqual(disturbed(before, await cluster.pods(STEADY)), [], "no pod felt it");
}

function words(text: string): string {
  return (JSON.parse(text) as { message?: string }).message ?? text;
}

function fillerOf(host: Host): string {
  return join(host.dir, "own-disk/filler");
}

async function fill(host: Host): Promise<void> {
  const { stderr } = await host.run(["dd", "if=/dev/zero", `of=${fillerOf(host)}`, "bs=64k"]);
  assert.match(stderr, /No space left/);
}
