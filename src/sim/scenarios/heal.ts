/** The second phase of every run: nothing is wrong any more, and the cluster has to become what was asked for. */
import { nodes } from "../../model/node.ts";
import { REBALANCE_NAME, rebalances } from "../../model/rebalance.ts";
import type { SimHost, World } from "../contract.ts";
import { insist } from "../draw/ask.ts";
import { stopRebalance, uncordon } from "../draw/own-api.ts";

/** The promise: what is wanted is so within three minutes after the last fault. */
export const CONVERGE_WITHIN_MS = 180_000;
/** Longer than any stall, hang or reboot that was drawn lasts. */
const AFTERMATH_MS = 130_000;
/** When nothing was written for so long, it is as it will be. */
const QUIET_MS = 45_000;

/** Ends every fault; then waits until nothing changes any more, or the time that the promise gives is over. */
export async function healAndSettle(world: World): Promise<void> {
  await heal(world);
  let revision = -1;
  let sinceMs = world.clock.monotonic();
  await world.runUntil(
    () => {
      const now = world.clock.monotonic();
      const present = world.server.store?.revision ?? -1;
      if (present !== revision) [revision, sinceMs] = [present, now];
      return now - sinceMs >= QUIET_MS;
    },
    CONVERGE_WITHIN_MS,
    1_000,
  );
}

async function heal(world: World): Promise<void> {
  world.note("healing: every fault ends");
  world.network.heal();
  world.server.journal.refuse(undefined);
  world.server.journal.setDelay(0);
  const started = [startServer(world), ...[...world.hosts.values()].map(startHost)];
  await waitFor(world, Promise.all(started));
  const calledOff = [...cordoned(world).map(uncordon), ...(isRebalancing(world) ? [stopRebalance()] : [])];
  await waitFor(world, Promise.all(calledOff.map((request) => insist(world, request))));
  const areUp = () => world.server.isUp && [...world.hosts.values()].every(({ isOn, isAgentUp }) => isOn && isAgentUp);
  await world.runUntil(areUp, AFTERMATH_MS);
}

async function startServer({ server }: World): Promise<void> {
  if (!server.isUp) await server.start();
}

async function startHost(host: SimHost): Promise<void> {
  host.setDrift(0);
  if (!host.isOn) await host.powerOn();
  else if (!host.isAgentUp) await host.startAgent();
}

function isRebalancing({ server }: World): boolean {
  return server.store?.get(rebalances, REBALANCE_NAME)?.status.phase === "running";
}

function cordoned({ server }: World): readonly string[] {
  const all = server.store?.list(nodes) ?? [];
  return all.filter(({ spec }) => spec.unschedulable).map(({ metadata }) => metadata.name);
}

/** Lets time pass until it is there. Rejects as it does. */
export async function waitFor<T>(world: World, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await world.runUntil(() => isSettled, AFTERMATH_MS, 50);
  if (!isSettled) throw new Error("what the simulator itself asked for did not come to an end");
  return await promise;
}
