/** Docker Swarm's overlay between the same hosts: a service with DNS round robin (virtual addresses need IPVS, which kernels of test machines lack). */
import type { Host } from "../../test/lab/harness/host.ts";
import { TOOLS_IMAGE } from "../../test/lab/harness/lab-images.ts";
import { until } from "../../test/lab/harness/wait.ts";
import { pathTo, serveStreams, startTools } from "./bare.ts";
import type { Path } from "./measure.ts";

/** Needs engines without live-restore. A path from the first host to each of the others. */
export async function laySwarm([from, ...others]: readonly [Host, ...Host[]]): Promise<readonly Path[]> {
  await from.must(["docker", "swarm", "init", "--advertise-addr", from.address]);
  const token = (await from.must(["docker", "swarm", "join-token", "-q", "worker"])).trim();
  for (const other of others) await other.must(["docker", "swarm", "join", "--token", token, `${from.address}:2377`]);
  await from.must(["docker", "network", "create", "-d", "overlay", "--attachable", "swarm"]);
  for (const other of others) await serve(from, other);
  await startTools(from, "swarm-client", ["--network", "swarm"]);
  return others.map((other) => pathTo(from, "swarm-client", "Docker Swarm, overlay", `on-${other.name}`));
}

async function serve(manager: Host, on: Host): Promise<void> {
  const name = `on-${on.name}`;
  const place = ["--network", "swarm", "--endpoint-mode", "dnsrr", "--constraint", `node.hostname==${on.name}`];
  await manager.must([
    "docker",
    "service",
    "create",
    "--detach",
    "--no-resolve-image",
    "--name",
    name,
    ...place,
    TOOLS_IMAGE,
  ]);
  let task = "";
  const runs = async () => {
    task = (await on.must(["docker", "ps", "-q", "-f", `label=com.docker.swarm.service.name=${name}`])).trim();
    return task !== "";
  };
  const seen = async () => (await manager.run(["docker", "service", "ps", name])).stdout;
  await until(`the task of ${name} runs`, runs, { seen });
  await serveStreams(on, task);
}
