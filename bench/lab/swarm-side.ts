/** Docker Swarm in the lab: managers that run no tasks, and workers. Live-restore is off, which it demands; services have DNS round robin and ports of their hosts. */
import { testImages } from "../../test/harness/images.ts";
import { startRegistry } from "../../test/harness/registry.ts";
import { startEngine } from "../../test/lab/harness/engines.ts";
import type { Host } from "../../test/lab/harness/host.ts";
import { Lab } from "../../test/lab/harness/lab.ts";
import { until } from "../../test/lab/harness/wait.ts";
import { SERVICE_IMAGE, SERVICE_PORT, SIZES, type Times, untilAccepted, untilServed, whoServes } from "./side.ts";

export async function measureSwarm(): Promise<Times> {
  const lab = await Lab.open({ hosts: Array.from({ length: SIZES.servers + SIZES.agents }, () => ({})) });
  try {
    const registry = await startRegistry(lab.fabric.testAddress);
    await registry.putImages(testImages());
    try {
      return await measure(new Swarm(lab, registry.url));
    } finally {
      registry.stop();
    }
  } finally {
    lab.close();
  }
}

async function measure(swarm: Swarm): Promise<Times> {
  await swarm.begin();
  const [last] = swarm.workers.slice(-1) as [Host];
  await swarm.pull();
  for (const worker of swarm.workers.slice(0, -1)) await swarm.join(worker);
  const joined = await swarm.firstOn(last);
  await swarm.serve();
  await untilServed(swarm.workers, performance.now());
  const hostDeathMs = await swarm.lose();
  return { ...joined, hostDeathMs, failoverMs: await swarm.loseLeader() };
}

class Swarm {
  readonly managers: readonly Host[];
  readonly workers: readonly Host[];
  readonly #mirror: string;

  constructor(lab: Lab, mirror: string) {
    this.managers = lab.hosts.slice(0, SIZES.servers);
    this.workers = lab.hosts.slice(SIZES.servers);
    this.#mirror = mirror;
  }

  async begin(): Promise<void> {
    const hosts = [...this.managers, ...this.workers];
    await Promise.all(hosts.map((host) => startEngine(host, { mirror: this.#mirror, liveRestore: false })));
    const [first, ...others] = this.managers as [Host, ...Host[]];
    await first.must(["docker", "swarm", "init", "--advertise-addr", first.address]);
    const token = await this.#token("manager");
    for (const host of others) await host.must(["docker", "swarm", "join", "--token", token, `${first.address}:2377`]);
    for (const host of this.managers)
      await first.must(["docker", "node", "update", "--availability", "drain", host.name]);
  }

  /** So that no figure has a pull in it. */
  async pull(): Promise<void> {
    for (const worker of this.workers) await worker.must(["docker", "pull", "-q", SERVICE_IMAGE]);
  }

  async join(worker: Host): Promise<void> {
    const [first] = this.managers as [Host];
    await worker.must(["docker", "swarm", "join", "--token", await this.#token("worker"), `${first.address}:2377`]);
  }

  /** A service waits for this host alone, which joins then. */
  async firstOn(worker: Host): Promise<Pick<Times, "joinToReadyMs" | "joinToServingMs">> {
    const [first] = this.managers as [Host];
    await this.#create("first", `node.hostname==${worker.name}`);
    const fromMs = performance.now();
    const served = untilServed([worker], fromMs);
    await this.join(worker);
    const list = ["docker", "node", "ls", "-f", `name=${worker.name}`, "--format", "{{.Status}}"];
    await until("it is ready", async () => (await first.must(list)).includes("Ready"), { everyMs: 20 });
    const joinToReadyMs = performance.now() - fromMs;
    const joinToServingMs = await served;
    await first.must(["docker", "service", "rm", "first"]);
    await until("the first service is gone", async () => (await whoServes([worker])) === undefined);
    return { joinToReadyMs, joinToServingMs };
  }

  async serve(): Promise<void> {
    await this.#create("web", "node.role==worker");
  }

  /** Power off for the worker that serves. */
  async lose(): Promise<number> {
    const victim = await whoServes(this.workers);
    if (!victim) throw new Error("nobody serves");
    const fromMs = performance.now();
    victim.powerOff();
    return untilServed(
      this.workers.filter((host) => host !== victim),
      fromMs,
    );
  }

  async loseLeader(): Promise<number> {
    const [first, ...others] = this.managers as [Host, ...Host[]];
    const names = await first.must(["docker", "node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}"]);
    const leader = this.managers.find(({ name }) => names.includes(`${name} Leader`));
    if (!leader) throw new Error(`no leader in:\n${names}`);
    const [survivor] = [first, ...others].filter((host) => host !== leader) as [Host];
    const fromMs = performance.now();
    leader.powerOff();
    return untilAccepted(fromMs, async (n) => {
      const words = ["docker", "node", "update", "--label-add", `n=${n}`, survivor.name];
      return (await survivor.run(words, { timeoutMs: 60_000 })).code === 0;
    });
  }

  async #token(role: "manager" | "worker"): Promise<string> {
    const [first] = this.managers as [Host];
    return (await first.must(["docker", "swarm", "join-token", "-q", role])).trim();
  }

  async #create(name: string, constraint: string): Promise<void> {
    const [first] = this.managers as [Host];
    const port = `mode=host,published=${SERVICE_PORT},target=80`;
    const place = ["--endpoint-mode", "dnsrr", "--publish", port, "--constraint", constraint];
    const words = ["docker", "service", "create", "--detach", "--no-resolve-image", "--name", name, ...place];
    await first.must([...words, SERVICE_IMAGE]);
  }
}
