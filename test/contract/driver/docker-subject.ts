/** The Docker driver on a private engine, for its contract and its own tests. */
import { join } from "node:path";
import { DockerDriver, type DockerDriverOptions } from "../../../src/drivers/docker/docker-driver.ts";
import { engineAt } from "../../../src/drivers/docker/engine.ts";
import { KeeperClient } from "../../../src/drivers/keeper/keeper-client.ts";
import type { Container } from "../../../src/model/pod.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { type EngineOptions, type Engine as PrivateEngine, startEngine } from "../../harness/engine.ts";
import { testImages } from "../../harness/images.ts";
import { type Registry, startRegistry } from "../../harness/registry.ts";
import type { Programs, Subject } from "./subject.ts";

export interface DockerSubject extends Subject {
  readonly engine: PrivateEngine;
  readonly registry: Registry;
  address(): string;
  reopen(options?: Partial<DockerDriverOptions>): DockerDriver;
}

export function shell(script: string): Partial<Container> {
  return { image: "busybox:1", command: ["sh", "-c", script] };
}

export const dockerPrograms: Programs = {
  service: shell("trap 'exit 0' TERM; sleep 1000 & wait"),
  exits: (code, afterMs) => shell(`sleep ${afterMs / 1000}; exit ${code}`),
  stubborn: shell("trap '' TERM; sleep 1000 & wait; sleep 1000"),
  talker: shell("echo first; echo wrong >&2; echo second; echo third; trap 'exit 0' TERM; sleep 1000 & wait"),
};

export async function openDocker(options: EngineOptions = {}): Promise<DockerSubject> {
  const registry = await startRegistry();
  await registry.putImages(testImages());
  const engine = await startEngine({ registry, ...options });
  const drivers: { close(): Promise<void> }[] = [];
  const keeper = new KeeperClient({ stateDir: join(engine.dir, "keeper"), cgroupRoot: engine.cgroupRoot });
  let last = 1;
  return {
    ...{ engine, registry, programs: dockerPrograms },
    reopen: (more = {}) => {
      const client = engineAt(engine.socket);
      drivers.push(client);
      return new DockerDriver({
        ...{ engine: client, instance: "contract", clock: new SystemClock(), log: silentLog },
        network: { name: engine.network, subnet: engine.podSubnet },
        cgroupRoot: engine.cgroupRoot,
        guard: (paths, forMs) => keeper.guard("docker", paths, forMs),
        ...more,
      });
    },
    address: () => engine.podSubnet.replace(/\.0\/24$/, `.${++last}`),
    close: async () => {
      keeper.close();
      engine.stop();
      registry.stop();
      for (const driver of drivers) await driver.close();
    },
  };
}
