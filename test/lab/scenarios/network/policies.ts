/** NetworkPolicies where Docker has a hand in it: host ports of pods, and containers that units start themselves. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../../harness/command.ts";
import { startEngine } from "../../harness/engines.ts";
import type { Host } from "../../harness/host.ts";
import { type PodPlace, placesOf } from "../../harness/pod-place.ts";
import { until } from "../../harness/wait.ts";
import { replicas, service } from "../../harness/workloads.ts";
import type { Scene } from "../scenario.ts";
import { copies, copyOn } from "./begin.ts";

type Cluster = Scene["cluster"];

const HOST_PORT = 8099;
const UNIT = `[Service]
ExecStartPre=-/usr/bin/docker rm -f closed-unit
ExecStart=/usr/bin/docker run --rm --name closed-unit --network styrmann lab/who:1
ExecStop=/usr/bin/docker stop -t 1 closed-unit
`;

function closing(name: string, namespace: string, ingress: readonly object[]): string {
  const spec = { podSelector: namespace === "fleet" ? {} : { matchLabels: { app: name } }, ingress };
  return JSON.stringify({
    ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace } },
    spec: { ...spec, policyTypes: ["Ingress"] },
  });
}

const forget = (cluster: Cluster, namespace: string, name: string) => {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/${name}`;
  return cluster.client.must(cluster.server, path, { method: "DELETE" });
};

/** With the engine as Docker is installed: a program of the host (its userland proxy) passes on what pods send to a host port. */
export async function hostPortIsNoWayAround({ cluster }: Scene): Promise<void> {
  const [neighbour, host] = cluster.agents;
  assert.ok(neighbour && host);
  await host.signal("dockerd", "SIGTERM");
  await startEngine(host, { mirror: cluster.registry.url, hasUserlandProxy: true });
  const nodeSelector = { "kubernetes.io/hostname": host.name };
  await cluster.apply(replicas("vault", { replicas: 1, hostPort: HOST_PORT, nodeSelector }));
  const [vault] = await placesOf(cluster, "vault", 1);
  const near = (await copies(cluster)).find((place) => place.host === host);
  assert.ok(vault && near);
  const gateway = vault.address.replace(/\.\d+$/, ".1");
  const ways = [`${vault.address}:80`, `${host.address}:${HOST_PORT}`, `${gateway}:${HOST_PORT}`];
  const isReached = () => Promise.all(ways.map((way) => answers(near, way)));
  assert.deepEqual(await isReached(), [true, true, true], "without a policy");
  assert.equal(await bySixth(neighbour, host), REFUSED, "nobody listens by IPv6, where no policy would be asked");
  await cluster.apply(closing("vault", "default", []));
  await untilSeen("the pod is closed by every way", isReached, [false, false, false]);
  await cluster.apply(closing("vault", "default", [{ from: [{ podSelector: { matchLabels: { service: "web" } } }] }]));
  await untilSeen("and open by every way to whom it lets in", isReached, [true, true, true]);
  await forget(cluster, "default", "vault");
  await cluster.command("delete", "vault");
  await host.signal("dockerd", "SIGTERM");
  await startEngine(host, { mirror: cluster.registry.url });
}

/** curl's word for a port at which nobody listens: the packet came there, and an answer back. */
const REFUSED = 7;

/** How a look at the host port by the link-local address of its host ends. */
async function bySixth(from: Host, to: Host): Promise<number | null> {
  const shown = await to.must(["ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "link"]);
  const [, address] = /inet6 (fe80:[0-9a-f:]+)\//.exec(shown) ?? [];
  assert.ok(address, shown);
  const { code } = await from.run(["curl", "-gsS", "-m", "3", `http://[${address}%eth0]:${HOST_PORT}/`]);
  return code;
}

export async function unitsContainerIsClosed({ cluster, measured }: Scene): Promise<void> {
  await cluster.apply(UNIT, "--name", "closed-unit.service");
  const places = await copies(cluster);
  const isReached = () => Promise.all(places.map((place) => answers(place, "closed-unit.fleet.local:80")));
  const everywhere = (is: boolean) => places.map(() => is);
  await untilSeen("the unit's container is found by its name", isReached, everywhere(true));
  const began = performance.now();
  await cluster.apply(closing("units", "fleet", []));
  await untilSeen("it is closed from everywhere", isReached, everywhere(false));
  measured.seconds("a policy closes a unit's container", performance.now() - began);
  const traced = await cluster.words("network", "trace", places[0]?.pod.name ?? "", "closed-unit.service:80");
  assert.match(traced, /✘ policy in .*NetworkPolicy fleet\/units selects/, traced);
  await forget(cluster, "fleet", "units");
  await untilSeen("it is open again", isReached, everywhere(true));
  await cluster.command("delete", "closed-unit.service");
}

const PORT = 30_121;

/** Whether it is own, its endpoint's or a third host's port, for everybody or local: what a trace says is what packets find. */
export async function traceAgrees({ cluster }: Scene): Promise<void> {
  const places = await copies(cluster);
  const [from, third, endpoint] = places;
  assert.ok(from && third && endpoint);
  const app = copyOn(endpoint.host.name);
  const found: string[] = [];
  for (const ingress of [[{}], [{ from: [{ ipBlock: { cidr: `${from.host.address}/32` } }] }]]) {
    await cluster.apply(closing(app, "default", ingress));
    for (const externalTrafficPolicy of ["Cluster", "Local"]) {
      const ports = [{ name: "http", port: 80, targetPort: "http", nodePort: PORT }];
      await cluster.apply(service("lonely", { type: "NodePort", selector: { app }, ports, externalTrafficPolicy }));
      await delay(2_000);
      for (const { host } of [from, endpoint, third]) {
        const isOpen = await answers(from, `${host.address}:${PORT}`);
        const traced = await cluster.words("network", "trace", from.pod.name, `${host.name}:${PORT}`);
        const last =
          traced
            .trim()
            .split("\n")
            .findLast((line) => line !== "") ?? "";
        found.push(
          `${isOpen ? "open" : "shut"} ${externalTrafficPolicy} ${host === from.host ? "own" : host === third.host ? "third" : "its"}`,
        );
        assert.equal(!traced.includes("✘"), isOpen, `${found.at(-1)}: ${last}\n${traced}`);
      }
    }
  }
  assert.deepEqual(found, [
    ...["open Cluster own", "open Cluster its", "open Cluster third", "open Local own", "open Local its"],
    ...["shut Local third", "shut Cluster own", "open Cluster its", "shut Cluster third"],
    ...["shut Local own", "open Local its", "shut Local third"],
  ]);
  await forget(cluster, "default", app);
  await cluster.client.must(cluster.server, "/api/v1/namespaces/default/services/lonely", { method: "DELETE" });
}

/** Whoever read there what a container's devices are would wait for ever. */
const TRAP = "mkdir -p /sys/class/net/eth0; mkfifo /sys/class/net/eth0/address /sys/class/net/eth0/iflink; sleep 1000";

function trap(name: string, node: string): string {
  const controller = JSON.parse(
    replicas(name, {
      replicas: 1,
      args: ["sh", "-c", TRAP],
      nodeSelector: { "kubernetes.io/hostname": node },
    }),
  );
  const { spec } = controller.spec.template;
  spec.volumes = [{ name: "devices", emptyDir: {} }];
  spec.containers[0].volumeMounts = [{ name: "devices", mountPath: "/sys/class/net" }];
  return JSON.stringify(controller);
}

export async function trapsCatchNobody({ cluster, measured }: Scene): Promise<void> {
  const [, host] = cluster.agents;
  assert.ok(host);
  for (const name of ["trap-1", "trap-2"]) await cluster.apply(trap(name, host.name));
  const [first] = await placesOf(cluster, "trap-1", 1);
  await placesOf(cluster, "trap-2", 1);
  const near = (await copies(cluster)).find((place) => place.host === host);
  assert.ok(first && near);
  const as = async (address: string) => {
    const words = ["curl", "-s", "-o", "/dev/null", "-m", "1", "--interface", address, `http://${near.address}/`];
    return (await run([...first.enter, ...words])).code === 0;
  };
  const free = first.address.replace(/\d+$/, "201");
  await run([...first.enter, "ip", "addr", "add", `${free}/24`, "dev", "eth0"]);
  await untilSeen("it sends as itself alone", async () => [await as(first.address), await as(free)], [true, false]);
  const began = performance.now();
  await cluster.apply(trap("trap-3", host.name));
  await placesOf(cluster, "trap-3", 1);
  measured.seconds("a pod starts beside traps", performance.now() - began);
  assert.doesNotMatch(await cluster.words("nodes"), /IOStalled/);
  for (const name of ["trap-1", "trap-2", "trap-3"]) await cluster.command("delete", name);
}

async function answers(from: PodPlace, way: string): Promise<boolean> {
  return /^200$/.test(
    await from.run("curl", "-s", "-o", "/dev/null", "-m", "1", "-w", "%{http_code}", `http://${way}/`),
  );
}

async function untilSeen(what: string, look: () => Promise<readonly boolean[]>, wanted: readonly boolean[]) {
  let seen: readonly boolean[] = [];
  const isSo = async () => {
    seen = await look();
    return JSON.stringify(seen) === JSON.stringify(wanted);
  };
  await until(what, isSo, { withinMs: 30_000, seen: () => JSON.stringify(seen) });
}
