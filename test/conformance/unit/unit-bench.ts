/** A node's worth of the unit driver on a real keeper, in a folder and a cgroup of its own that are gone afterwards. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { CgroupTree } from "../../../src/drivers/cgroup/cgroup-tree.ts";
import type { ContainerRun, ObservedRun, RunRef } from "../../../src/drivers/driver.ts";
import type { KeeperClient } from "../../../src/drivers/keeper/keeper-client.ts";
import { UnitDriver, type UnitDriverOptions } from "../../../src/drivers/unit/unit-driver.ts";
import { parseUnitFile } from "../../../src/model/unit/parse-unit-file.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SystemRandom } from "../../../src/seams/random.ts";
import { type NodePlace, openNodePlace } from "../../contract/keeper/node-place.ts";

const DEADLINE_MS = 20_000;

export class UnitBench {
  readonly dir: string;
  readonly tree: CgroupTree;
  readonly keeper: KeeperClient;
  driver: UnitDriver;
  /** Every state that the unit started last has been seen in, in order, without repetitions: `activating/start-pre`. */
  readonly history: string[] = [];
  /** What is still heard of those before is no part of its history. */
  #started: string | undefined;
  readonly #extra: Partial<UnitDriverOptions>;
  readonly #place: NodePlace;

  constructor(extra: Partial<UnitDriverOptions> = {}) {
    this.#extra = extra;
    this.#place = openNodePlace("units");
    this.dir = this.#place.dir;
    this.tree = this.#place.tree;
    this.keeper = this.#place.connect();
    this.driver = this.#newDriver();
  }

  /** A path in this bench's own folder. */
  path(name: string): string {
    return join(this.dir, name);
  }

  /** What a killed styr leaves: the driver is thrown away in the middle of whatever it does, and a new one made. */
  replaceDriver(extra: Partial<UnitDriverOptions> = {}): void {
    this.driver.close();
    this.driver = this.#newDriver(extra);
  }

  start(
    name: string,
    text: string,
    more: Partial<ContainerRun> & { readonly load?: boolean } = {},
  ): Promise<ObservedRun> {
    this.#started = podUid(name);
    return this.driver.start(unitRun(name, text, more));
  }

  async observed(name: string): Promise<ObservedRun> {
    const found = (await this.driver.list()).find(({ ref }) => ref.podUid === podUid(name));
    assert(found, `the driver does not list ${name}`);
    return found;
  }

  /** Waits until the unit is in this state; fails with the one it is in. */
  async until(name: string, wanted: string): Promise<ObservedRun> {
    return this.untilSeen(name, wanted, (run) => words(run) === wanted);
  }

  async untilSeen(name: string, what: string, holds: (run: ObservedRun) => boolean): Promise<ObservedRun> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const run = await this.observed(name);
      if (holds(run)) return run;
      if (performance.now() > deadline)
        assert.fail(
          `${name} is ${words(run)} (${run.message ?? "no message"}), not ${what}; it was ${this.history.join(", ")}`,
        );
      await delay(20);
    }
  }

  async output(name: string): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const { data } of this.driver.logs(unitRef(name), {})) chunks.push(data);
    return Buffer.concat(chunks).toString("utf8");
  }

  pids(name: string): readonly number[] {
    return this.tree.pids(`${podUid(name)}/main`);
  }

  close(): void {
    this.driver.close();
    this.#place.close();
  }

  #newDriver(extra: Partial<UnitDriverOptions> = {}): UnitDriver {
    const driver = new UnitDriver({
      keeper: this.keeper,
      cgroups: this.tree,
      stateDir: join(this.dir, "units"),
      clock: new SystemClock(),
      random: new SystemRandom(),
      log: silentLog,
      ...this.#extra,
      ...extra,
    });
    driver.watch((change) => {
      if (change === "lost" || change.ref.podUid !== (this.#started ?? change.ref.podUid)) return;
      const state = `${change.unit?.active}/${change.unit?.sub}`;
      if (this.history.at(-1) !== state) this.history.push(state);
    }, new AbortController().signal);
    return driver;
  }
}

export function words({ unit }: ObservedRun): string {
  return `${unit?.active}/${unit?.sub}`;
}

export function podUid(name: string): string {
  return `uid-${name.replace(/[^a-z0-9]+/gi, "-")}`;
}

export function unitRef(name: string): RunRef {
  return { podUid: podUid(name), container: "main", attempt: 0 };
}

export function unitRun(
  name: string,
  text: string,
  { load = false, ...more }: Partial<ContainerRun> & { readonly load?: boolean } = {},
): ContainerRun {
  const { options } = parseUnitFile(text);
  return {
    ref: unitRef(name),
    pod: {
      uid: podUid(name),
      namespace: "default",
      name,
      hostname: name,
      hostNetwork: true,
      sharesNamespaces: false,
      shareProcessNamespace: false,
      workload: name,
      ports: [],
      hostAliases: [],
    },
    spec: { name: "main", driver: "unit", unit: { name, options, ...(load ? { start: false } : {}) } },
    env: {},
    mounts: [],
    limits: { cpuRequestMillis: 100 },
    ...more,
  };
}
