/**
 * How fast this machine's processor is at this moment, by a piece of work that is always the same: what a test promises in processor time is
 * meant of a core that has nothing else to do, and two that share one, or a neighbour on the same host, make it half as fast.
 */

/** What the work below takes on one idle core of a machine of 2.7 GHz, in seconds. */
const IDLE_SECONDS = 0.1;
const WARM_UPS = 2;
const TIMES = 5;

/** What `run` takes, in seconds of a core that has nothing else to do: slower ones are measured before and after it. */
export async function idleCoreSeconds(run: () => Promise<void>): Promise<number> {
  const [slow, before] = [slowness(), cpuSeconds()];
  await run();
  const spent = cpuSeconds() - before;
  return spent / ((slow + slowness()) / 2);
}

/** Processor time of this process. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** 1 where nothing else runs; 2: everything takes twice as long now. Never less than 1: a faster machine has no excuse. */
function slowness(): number {
  // Compiled by then.
  for (let time = 0; time < WARM_UPS; time++) work();
  const before = cpuSeconds();
  for (let time = 0; time < TIMES; time++) work();
  return Math.max(1, (cpuSeconds() - before) / TIMES / IDLE_SECONDS);
}

/** Objects, maps, sorting and JSON, as programs in JavaScript do. */
function work(): void {
  for (let round = 0; round < 40; round++) {
    const map = new Map<string, { readonly name: string; readonly list: readonly number[] }>();
    for (let n = 0; n < 5000; n++) map.set(`node-${(n * 7919) % 5000}`, { name: `pod-${n}`, list: [n, n + 1] });
    const sorted = [...map.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    if ((JSON.parse(JSON.stringify(sorted)) as readonly unknown[]).length !== map.size) throw new Error("not the same");
  }
}
