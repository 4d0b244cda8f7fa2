/** What of an agent is on its host's disk: outlives the agent and the power. */
import type { LocalRecord, PodRecord } from "../agent/local-record.ts";
import type { HostReading, NodeHost } from "../agent/node-host.ts";
import type { Volumes } from "../agent/volumes.ts";
import type { Pod } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import type { Gate } from "./gate.ts";
import type { Life } from "./sim-time.ts";

const SYNC_MS = 1;

interface Write {
  readonly uid: string;
  /** undefined: the file goes. */
  readonly record: PodRecord | undefined;
}

export class SimDisk {
  readonly records = new Map<string, PodRecord>();
  readonly volumes = new Set<string>();
  readonly #underWay = new Set<Write>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  begin(write: Write): void {
    this.#underWay.add(write);
  }

  finish(write: Write): void {
    if (!this.#underWay.delete(write)) return;
    if (write.record) this.records.set(write.uid, write.record);
    else this.records.delete(write.uid);
  }

  /** Who wrote is dead: what was not acknowledged is on disk or not. */
  crash(): void {
    for (const write of this.#underWay) {
      if (this.#random.next() < 0.5) this.finish(write);
    }
    this.#underWay.clear();
  }

  recordFor(life: Life, clock: Clock, gate: Gate): LocalRecord {
    const write = async (uid: string, record: PodRecord | undefined) => {
      if (life.isOver) return new Promise<void>(() => {});
      const one = { uid, record };
      this.begin(one);
      if (gate.isClosed) await gate.pass();
      await clock.sleep(SYNC_MS);
      this.finish(one);
    };
    return {
      load: async () => {
        if (gate.isClosed) await gate.pass();
        const all = [...this.records].toSorted(([a], [b]) => (a < b ? -1 : 1));
        return all.map(([, record]) => JSON.parse(JSON.stringify(record)) as PodRecord);
      },
      save: (record) => write(record.pod.metadata.uid, record),
      remove: (uid) => write(uid, undefined),
    };
  }

  volumesFor(gate: Gate): Volumes {
    const through = async () => {
      if (gate.isClosed) await gate.pass();
    };
    return {
      make: async (pod: Pod) => {
        await through();
        const volumes = pod.spec.volumes ?? [];
        if (volumes.length > 0) this.volumes.add(pod.metadata.uid);
        return new Map(volumes.map(({ name }) => [name, `/volumes/${pod.metadata.uid}/${name}`]));
      },
      subPaths: async () => new Map(),
      remove: async (uid) => {
        await through();
        this.volumes.delete(uid);
      },
      pods: async () => {
        await through();
        return [...this.volumes].toSorted();
      },
    };
  }
}

export interface Capacity {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** The machine as its agent reads it; reading waits for the disk. */
export function nodeHost(name: string, { cpuMillis, memoryBytes }: Capacity, bootId: string, gate: Gate): NodeHost {
  const reading: HostReading = {
    cpuMillis,
    memoryBytes,
    memoryAvailableBytes: Math.floor(memoryBytes / 2),
    diskBytes: 100 * 2 ** 30,
    diskFreeBytes: 50 * 2 ** 30,
    machineId: Buffer.from(name).toString("hex").padEnd(32, "0").slice(0, 32),
    bootId,
    kernelVersion: "6.1.0",
    osImage: "Simulated",
    architecture: "amd64",
  };
  return {
    read: async () => {
      if (gate.isClosed) await gate.pass();
      return reading;
    },
  };
}
