/** What hosts are told of the network of the cluster: all know the same, and a pod that is asked to go leaves it before it is stopped. */
import type { Directory } from "../../directory/directory.ts";
import type { NetworkPlane } from "../../network/plane/network-plane.ts";
import { isLedTo } from "../../network/plane/pod-traces.ts";
import type { DriverCall, Observer, SimHost } from "../contract.ts";
import { evenCluster } from "../draw/cluster.ts";
import { post } from "../draw/kubernetes-workload.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { app, replicated } from "./workloads.ts";

const service = (name: string) =>
  post("services", { metadata: { name }, spec: { selector: { app: name }, ports: [{ port: 80 }] } });

/** Notes who could still be sent to a pod at the moment in which it is stopped. */
class Leaving implements Observer {
  readonly #hosts: readonly SimHost[];
  readonly faults: string[] = [];
  stops = 0;

  constructor(hosts: readonly SimHost[]) {
    this.#hosts = hosts;
  }

  driver({ what, podUid, host }: DriverCall): void {
    if (what !== "stop") return;
    this.stops++;
    for (const { name, plane } of this.#hosts)
      if (plane !== undefined && leads(plane, podUid)) this.faults.push(`${name} still sends to ${podUid} on ${host}`);
  }
}

function leads({ state }: NetworkPlane, uid: string): boolean {
  const ready = [...state.tables.endpoints.values()].flatMap(({ endpoints }) => endpoints);
  return isLedTo(state, uid) || ready.some((endpoint) => endpoint.uid === uid && endpoint.state === "ready");
}

/** Hosts that do not know exactly what the directory says, in words. */
function strayHosts(hosts: readonly SimHost[], directory: Directory): readonly string[] {
  return hosts.flatMap(({ name, plane }) => {
    const { entries } = directory.everything(name);
    const wanted = new Map(entries.map((entry) => [`${entry.kind} ${entry.id}`, entry]));
    const held = Object.values(plane?.state.tables ?? {}).flatMap((table) => [...table.values()]);
    const wrong = held.filter(
      (entry) => JSON.stringify(wanted.get(`${entry.kind} ${entry.id}`)) !== JSON.stringify(entry),
    );
    return held.length === wanted.size && wrong.length === 0
      ? []
      : [`${name}: ${held.length} of ${wanted.size} entries, ${wrong.length} of them others`];
  });
}

async function agree(stage: Stage, when: string): Promise<void> {
  const stray = () => {
    const { directory } = stage.world.server;
    return directory ? strayHosts(stage.hosts, directory) : ["there is no control plane"];
  };
  await stage.until(
    `all hosts know the same ${when}`,
    () => stray().length === 0,
    30_000,
    () => stray().join("; "),
  );
}

export const network = define(
  "network",
  "hosts know the same of the network after cuts, losses and crashes; a pod leaves it before it is stopped, and a dead host is avoided within 2 s",
  { ...evenCluster(5), hasNetwork: true },
  async (stage) => {
    const { world } = stage;
    await stage.ask(service("web"));
    // Half of it is theirs to leave names and services.
    await stage.deploy("web", 8, replicated("web", 8, { spec: { terminationGracePeriodSeconds: 10 } }));
    await stage.deploy("/shop", 3, app("shop", 3));
    await agree(stage, "at first");
    await leavesFirst(stage);
    await staysForAgent(stage);
    world.network.setQuality({ delayMs: [1, 80], loss: 0.1, duplicate: 0.05, reorder: 0.1 });
    world.network.cut("n002", "server");
    stage.host("n003").crashAgent();
    await stage.run(5_000);
    await stage.ask({
      method: "PATCH",
      path: "/api/v1/namespaces/default/replicationcontrollers/web",
      ...scaledTo(11),
    });
    world.server.crash();
    await stage.run(3_000);
    await world.server.start();
    await stage.host("n003").startAgent();
    await stage.run(10_000);
    world.network.heal();
    await stage.run(60_000);
    await agree(stage, "after all of that");
    await isAvoided(stage);
  },
);

function scaledTo(replicas: number) {
  return { body: { spec: { replicas } }, headers: { "Content-Type": "application/merge-patch+json" } };
}

/** A host that hears of it so late. */
const SLOW_MS = 1_250;

async function leavesFirst(stage: Stage): Promise<void> {
  const leaving = new Leaving(stage.hosts);
  stage.world.observe(leaving);
  for (const { metadata } of stage.active("web").slice(0, 4)) {
    // Longer than a pod stays by itself, and not so long that nobody waits for that host.
    stage.host("n005").freeze(SLOW_MS);
    await stage.ask({ method: "DELETE", path: `/api/v1/namespaces/default/pods/${metadata.name}` });
    await stage.run(3_000);
  }
  stage.expect(leaving.stops >= 4, "four pods were stopped", leaving.stops);
  stage.expect(leaving.faults.length === 0, "nobody is sent to a pod that is stopped", leaving.faults.join("; "));
}

/** Rules that an agent wrote go on when it is killed: until it is back nobody tells its host of a pod that leaves elsewhere. */
async function staysForAgent(stage: Stage): Promise<void> {
  const host = stage.host("n002");
  const inKernel = host.plane;
  const pod = stage.active("web").find(({ spec, status }) => spec.nodeName !== host.name && status.phase === "Running");
  const uid = pod?.metadata.uid ?? "";
  let stops = 0;
  stage.world.observe({ driver: ({ what, podUid }) => void (what === "stop" && podUid === uid && stops++) });
  stage.expect(inKernel !== undefined && leads(inKernel, uid), "that host sends to the pod", uid);
  host.crashAgent();
  await stage.run(300);
  await stage.ask({ method: "DELETE", path: `/api/v1/namespaces/default/pods/${pod?.metadata.name}` });
  await stage.run(4_000);
  stage.expect(stops === 0, "a pod stays for a host whose agent is away for a moment", stops);
  await host.startAgent();
  await stage.until("it is stopped when that agent is back", () => stops > 0, 5_000);
}

async function isAvoided(stage: Stage): Promise<void> {
  await stage.run(5_000);
  const others = stage.hosts.filter(({ name }) => name !== "n004");
  stage.host("n004").powerOff();
  const isLost = () => others.every(({ plane }) => plane?.state.lostNodes.has("n004") === true);
  await stage.until("a dead host is avoided by all others", isLost, 2_000);
  await stage.host("n004").powerOn();
  const isFound = () => others.every(({ plane }) => plane?.state.lostNodes.size === 0);
  await stage.until("a host that is back is not avoided any more", isFound, 20_000);
}
