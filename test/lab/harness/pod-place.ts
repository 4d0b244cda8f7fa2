/** Pods of a lab as places to ask from: their network, their containers, the names they see. */
import { firstProcesses } from "./engines.ts";
import type { Host } from "./host.ts";
import type { LabCluster } from "./lab-cluster.ts";
import { type PodSeen, serving } from "./pods.ts";
import { until } from "./wait.ts";

export interface PodPlace {
  readonly pod: PodSeen;
  readonly host: Host;
  readonly address: string;
  readonly container: string;
  /** Words that bring a program of the host into the pod's network. */
  readonly enter: readonly string[];
  /** In its container, with its names and files; gives what it printed, also when it failed. */
  run(...argv: readonly string[]): Promise<string>;
  /** Of the container's main process, as the host counts. */
  readonly pid: number;
}

/** The copies of an app that serve, sorted by host, when there are so many of them. */
export async function placesOf(
  cluster: LabCluster,
  app: string,
  count: number,
  withinMs = 60_000,
): Promise<readonly PodPlace[]> {
  let pods: readonly PodSeen[] = [];
  const there = async () => {
    pods = serving(await cluster.pods(app));
    return pods.length === count;
  };
  await until(`${count} of ${app} serve`, there, { withinMs, seen: () => cluster.words("why", app) });
  const byHost = pods.toSorted((a, b) => ((a.node ?? "") < (b.node ?? "") ? -1 : 1));
  return Promise.all(byHost.map((pod) => placeOf(cluster, pod)));
}

async function placeOf(cluster: LabCluster, pod: PodSeen): Promise<PodPlace> {
  const host = cluster.lab.hosts.find(({ name }) => name === pod.node);
  if (!host || pod.address === undefined) throw new Error(`${pod.name} has no place: ${JSON.stringify(pod)}`);
  const label = ["--filter", `label=dev.styrmann.pod-uid=${pod.uid}`, "--filter", "label=dev.styrmann.container"];
  // A host that has just booted has not yet started again what is known of it; and what is begun again ends between two looks.
  let [container, pid] = ["", 0];
  const isThere = async () => {
    container = (await host.must(["docker", "ps", "-q", ...label])).trim().split("\n")[0] ?? "";
    if (container === "") return false;
    [pid = 0] = (await firstProcesses(host, [container])).values();
    return pid > 0;
  };
  await until(`a container of ${pod.name} runs`, isThere, {
    withinMs: 30_000,
    seen: () => cluster.words("why", pod.name),
  });
  return {
    ...{ pod, host, container, address: pod.address, pid },
    enter: [...host.enter, "nsenter", `--net=/proc/${pid}/ns/net`, "--"],
    run: async (...argv) => {
      const { stdout, stderr } = await host.run(["docker", "exec", container, ...argv], { timeoutMs: 20_000 });
      return (stdout + stderr).trim();
    },
  };
}
