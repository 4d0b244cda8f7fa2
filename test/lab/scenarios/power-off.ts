import assert from "node:assert/strict";
import type { Host } from "../harness/host.ts";
import { disturbed, serving } from "../harness/pods.ts";
import { until } from "../harness/wait.ts";
import { replicas } from "../harness/workloads.ts";
import { type Scene, STEADY } from "./scenario.ts";

const CROWD = "crowd";
const COPIES = 40;

/** A host under 40 pods loses its power, and comes back. */
export async function powerOffUnderPods({ cluster, measured }: Scene): Promise<void> {
  const [victim, ...others] = cluster.agents as [Host, ...Host[]];
  for (const host of others) await cluster.command("cordon", host.name);
  await cluster.create(replicas(CROWD, { replicas: COPIES }));
  const ready = async () => serving(await cluster.pods(CROWD));
  const seen = () => cluster.words("ps", CROWD);
  const created = performance.now();
  await until("40 pods on one host", async () => (await ready()).length === COPIES, { withinMs: 180_000, seen });
  measured.seconds("40 containers started on one host", performance.now() - created);
  for (const host of others) await cluster.command("uncordon", host.name);
  const elsewhere = (await cluster.pods(STEADY)).filter(({ node }) => node !== victim.name);
  const from = performance.now();
  victim.powerOff();
  const moved = async () => (await ready()).filter(({ node }) => node !== victim.name).length;
  await until("the first successor", async () => (await moved()) > 0, { everyMs: 50, seen });
  measured.seconds("power off under 40 pods: first successor ready", performance.now() - from);
  await until("all successors", async () => (await moved()) === COPIES, { withinMs: 180_000, seen });
  measured.seconds("power off under 40 pods: all 40 ready", performance.now() - from);
  assert.deepEqual(disturbed(elsewhere, await cluster.pods(STEADY)), [], "what ran on other hosts felt nothing");
  await victim.powerOn();
  await cluster.boot(victim);
  await cluster.untilReady([victim]);
  const isExact = async () => (await cluster.pods(CROWD)).length === COPIES && (await ready()).length === COPIES;
  await until("40 pods, and no more", isExact, { seen });
  await cluster.remove(CROWD);
}
