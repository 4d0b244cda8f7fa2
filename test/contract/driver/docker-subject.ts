/** The Docker driver on a private engine, for its contract and its own tests. */
import { DockerDriver, type DockerDriverOptions } from "../../../src/drivers/docker/docker-driver.ts";
import { engineAt } from "../../../src/drivers/docker/engine.ts";
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
        ...more,
      });
    },
    address: () => engine.podSubnet.replace(/\.0\/24$/, `.${++last}`),
    close: async () => {
      engine.stop();
      registry.stop();
      for (const driver of drivers) await driver.close();
    },
  };
}
