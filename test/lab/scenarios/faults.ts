/** One host frozen, one with a slow disk, one cut off from every server: at the same time, on three hosts. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { runningContainers } from "../harness/engines.ts";
import type { Host } from "../harness/host.ts";
import { deviceOf, signal, throttleHost } from "../harness/lab-cgroups.ts";
import { disturbed, type PodSeen, serving } from "../harness/pods.ts";
import { STYR } from "../harness/styr.ts";
import { until } from "../harness/wait.ts";
import { replicas } from "../harness/workloads.ts";
import { type Scene, STEADY } from "./scenario.ts";

const MINUTE_MS = 60_000;
const MB_2 = 2_000_000;
/** Stays on a host that is silent: Kubernetes' own word for it. */
const PATIENT = "patient";

export async function frozenSlowAndCut(scene: Scene): Promise<void> {
  const { cluster } = scene;
  const [frozen, slow, cut] = cluster.agents.slice(-3) as [Host, Host, Host];
  await cluster.create(patientOn(frozen));
  await until("the patient pod", async () => serving(await cluster.pods(PATIENT)).length === 1);
  // It would start successors slowly, too, and what is asked of it is that nothing leaves it.
  await cluster.command("cordon", slow.name);
  const before = await cluster.pods();
  // Each to its end, so that none is still at work when another has failed.
  const ended = await Promise.allSettled([
    freeze(scene, frozen, before),
    slowDisk(scene, slow, before),
    cutOff(scene, cut),
  ]);
  const failures = ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  await cluster.command("uncordon", slow.name);
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("\n"));
  await until("as many copies as are wanted", async () => isWhole(scene), { seen: () => cluster.words("ps", "-a") });
  await cluster.remove(PATIENT);
}

function patientOn(host: Host): string {
  const object = JSON.parse(replicas(PATIENT, { replicas: 1 }));
  Object.assign(object.spec.template.spec, {
    nodeSelector: { "kubernetes.io/hostname": host.name },
    tolerations: [
      { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 900 },
    ],
  });
  return JSON.stringify(object);
}

async function isWhole({ cluster }: Scene): Promise<boolean> {
  const pods = await cluster.pods(STEADY);
  return pods.length === cluster.agents.length * 2 && serving(pods).length === pods.length;
}

/** What is silent for 8 s is replaced, unless it asks for patience. */
async function freeze({ cluster, measured }: Scene, host: Host, before: readonly PodSeen[]): Promise<void> {
  const from = performance.now();
  await host.freeze();
  try {
    const moved = async () => serving(await cluster.pods(STEADY)).filter(({ node }) => node !== host.name).length;
    const wanted = cluster.agents.length * 2;
    await until("successors of the frozen host's pods", async () => (await moved()) >= wanted, {
      seen: () => cluster.words("ps", STEADY),
    });
    measured.seconds("host frozen: all successors ready", performance.now() - from);
    await delay(Math.max(0, MINUTE_MS - (performance.now() - from)));
    const patient = before.filter(({ app }) => app === PATIENT);
    assert.deepEqual(disturbed(patient, await cluster.pods(PATIENT)), [], "a pod that asked for patience stays");
  } finally {
    host.thaw();
  }
  measured.seconds("host frozen for 60 s: ready after the thaw", await cluster.untilReady([host]));
}

/** 2 MB/s, and a writer that wants more. */
async function slowDisk({ cluster, measured }: Scene, host: Host, before: readonly PodSeen[]): Promise<void> {
  const device = deviceOf(host.disk("styrmann"));
  throttleHost(host.cgroup, device, MB_2);
  const writer = "while :; do dd if=/dev/zero of=/var/lib/styrmann/slow bs=1M count=8 conv=fsync; done";
  host.start("writer", ["sh", "-c", writer]);
  const states = new Set<string>();
  try {
    for (const from = performance.now(); performance.now() - from < MINUTE_MS; await delay(500))
      states.add(await cluster.stateOf(host));
  } finally {
    throttleHost(host.cgroup, device, 0);
    // The loop and its child: both have these words in their command lines.
    for (const pid of host.find("of=/var/lib/styrmann/slow")) signal(pid, "SIGKILL");
  }
  const there = before.filter(({ node, app }) => node === host.name && app === STEADY);
  const moves = disturbed(there, await cluster.pods(STEADY));
  measured.note("disk at 2 MB/s for 60 s: moves", `${moves.length} (states seen: ${[...states].sort().join(", ")})`);
  assert.deepEqual(moves, []);
}

/** Its pods run, and what crashes is started again, with nobody to ask. */
async function cutOff({ cluster, measured, isFull }: Scene, host: Host): Promise<void> {
  const cutMs = isFull ? 10 * MINUTE_MS : MINUTE_MS;
  const pods = await mainOfPods(host);
  const from = performance.now();
  cluster.lab.cut(host, cluster.servers);
  try {
    await until("the cut host is unreachable", async () => (await cluster.stateOf(host)) === "unreachable");
    for (let crashes = 0; performance.now() - from < cutMs - 15_000; crashes++) {
      await crashOne(host);
      measured.note(`host cut from all servers: crashed pod ${crashes + 1} runs again`, "by itself");
      await delay(isFull ? 120_000 : 15_000);
    }
    await delay(Math.max(0, cutMs - (performance.now() - from)));
    assert.deepEqual([...(await mainOfPods(host)).keys()].sort(), [...pods.keys()].sort(), "all that ran there runs");
    assert.ok(host.runs(STYR));
  } finally {
    cluster.lab.heal(host);
  }
  measured.seconds(`host cut from all servers for ${cutMs / 1000} s: ready again`, await cluster.untilReady([host]));
}

async function crashOne(host: Host): Promise<void> {
  const [pod, { pid }] = [...(await mainOfPods(host))][0] ?? assert.fail("nothing runs there");
  // As the host counts: the engine knows no other numbers.
  await host.must(["kill", "-KILL", String(pid)]);
  const again = async () => {
    const now = (await mainOfPods(host)).get(pod)?.pid;
    return now !== undefined && now !== pid;
  };
  await until(`${pod} was started again on a host that nobody reaches`, again, { withinMs: 30_000 });
}

/** Each run of a container has a name with its number, `styr-web-1a2b3c4d.0`; what is before that stays. */
async function mainOfPods(host: Host): Promise<ReadonlyMap<string, { readonly pid: number }>> {
  const containers = [...(await runningContainers(host))];
  return new Map(containers.map(([name, pid]) => [name.replace(/\.\d+$/, ""), { pid }]));
}
