import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startMember } from "../harness/etcd.ts";
import type { Host } from "../harness/host.ts";
import { disturbed } from "../harness/pods.ts";
import { STYR } from "../harness/styr.ts";
import { missingAt, Writes } from "../harness/writes.ts";
import { type Scene, STEADY } from "./scenario.ts";

const FULL_MS = 15_000;

/** Not a byte is left on the disk that has the leader's state and its etcd member, while clients write through every server. */
export async function fullDiskOnLeader({ cluster, measured }: Scene): Promise<void> {
  const leader = await cluster.leader();
  assert.ok(leader, "somebody leads");
  const before = await cluster.pods(STEADY);
  const writes = new Writes({ client: cluster.client, servers: cluster.servers, name: "full" });
  await delay(1000);
  await fill(leader);
  await delay(FULL_MS);
  rmSync(fillerOf(leader));
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
}

function fillerOf(host: Host): string {
  return join(host.dir, "own-disk/filler");
}

async function fill(host: Host): Promise<void> {
  const { stderr } = await host.run(["dd", "if=/dev/zero", `of=${fillerOf(host)}`, "bs=64k"]);
  assert.match(stderr, /No space left/);
}
