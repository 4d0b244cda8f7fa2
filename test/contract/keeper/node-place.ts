/** A node's keeper with a folder and a cgroup root of its own, for tests. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { CgroupTree } from "../../../src/drivers/cgroup/cgroup-tree.ts";
import type { ProcessSpec } from "../../../src/drivers/keeper/keeper.ts";
import { KeeperClient } from "../../../src/drivers/keeper/keeper-client.ts";
import { makeSandbox } from "../../harness/sandbox.ts";

export interface NodePlace {
  readonly dir: string;
  readonly stateDir: string;
  readonly cgroupRoot: string;
  readonly tree: CgroupTree;
  /** A new client, as after a restart of styr. */
  connect(): KeeperClient;
  /** A process of its own id, with what most tests do not care about. */
  spec(name: string, argv: readonly string[], more?: Partial<ProcessSpec>): ProcessSpec;
  close(): void;
}

/** Why processes cannot be tried on this machine; undefined when they can. */
export function cannotKeepProcesses(): string | undefined {
  const problem = process.getuid?.() === 0 ? new CgroupTree().problem() : "processes in cgroups need root";
  return problem === undefined ? undefined : `NOT RUN: ${problem}`;
}

export function openNodePlace(name: string): NodePlace {
  const cgroupRoot = `styr-test-${name}-${process.pid}`;
  const cgroups = [cgroupRoot, `${cgroupRoot}-keeper`, `${cgroupRoot}-launch`];
  const sandbox = makeSandbox(`keeper-${name}`, () => ({ cgroups }));
  chmodSync(sandbox.dir, 0o711);
  const stateDir = join(sandbox.dir, "keeper");
  const clients: KeeperClient[] = [];
  return {
    ...{ dir: sandbox.dir, stateDir, cgroupRoot, tree: new CgroupTree({ root: cgroupRoot }) },
    connect: () => {
      const client = new KeeperClient({ stateDir, cgroupRoot });
      clients.push(client);
      return client;
    },
    spec: (id, argv, more = {}) => ({
      ...{ id: `pod/${id}/0/main`, argv, cwd: "/", cgroup: `pod/${id}`, logDir: join(sandbox.dir, "logs", id) },
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
      ...more,
    }),
    close: () => {
      for (const client of clients) client.close();
      sandbox.stop();
    },
  };
}
