/** What `styr ps -o json` says, as tests read it. */
import assert from "node:assert/strict";
import { until, type World } from "./world.ts";

export interface PodRow {
  readonly key: string;
  readonly uid: string;
  readonly status: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly urls: readonly string[];
}

export interface Row {
  readonly kind: string;
  readonly name: string;
  readonly status: string;
  readonly desired: number;
  readonly ready: number;
  readonly urls: readonly string[];
  readonly error?: string;
  readonly pods: readonly PodRow[];
}

export async function rows(world: World): Promise<readonly Row[]> {
  return JSON.parse(await world.must("ps", "-o", "json")) as readonly Row[];
}

export async function row(world: World, name: string): Promise<Row> {
  const found = (await rows(world)).find((one) => one.name === name);
  assert.ok(found, `${name} is listed`);
  return found;
}

/** Every one of them has all its copies ready. */
export async function untilReady(world: World, names: readonly string[], deadlineMs = 60_000): Promise<void> {
  await until(
    `${names.join(", ")} run`,
    async () => {
      const all = await rows(world);
      return names.every((name) => all.some((one) => one.name === name && one.ready >= 1 && one.ready === one.desired));
    },
    () => world.must("ps"),
    deadlineMs,
  );
}

/** Revision of the store: the same before and after means that nothing was changed. */
export async function revision(world: World): Promise<number> {
  const response = await fetch(`${world.httpUrl}/styr/v1/status`);
  return ((await response.json()) as { store: { revision: number } }).store.revision;
}

/** Waits until nothing has been written for a second, so that revisions can be compared. */
export async function untilQuiet(world: World): Promise<void> {
  let last = -1;
  let since = performance.now();
  await until("the store is quiet for a second", async () => {
    const now = await revision(world);
    if (now !== last) [last, since] = [now, performance.now()];
    return performance.now() - since > 1000;
  });
}

/** Running containers of a world, by id, with when each was started. */
export async function containers(world: World): Promise<readonly string[]> {
  const ids = (await world.docker("ps", "-q", "--no-trunc")).split("\n").filter((id) => id !== "");
  if (ids.length === 0) return [];
  const lines = await world.docker("inspect", "--format", "{{.Id}} {{.State.Pid}} {{.State.StartedAt}}", ...ids);
  return lines.split("\n").sort();
}
