/** The same through Styrmann: a client's pod on the first host and a server's pod on each, all of them from the image that the others use. */
import type { Host } from "../../test/lab/harness/host.ts";
import type { LabCluster } from "../../test/lab/harness/lab-cluster.ts";
import { TOOLS_IMAGE } from "../../test/lab/harness/lab-images.ts";
import { type PodPlace, placesOf } from "../../test/lab/harness/pod-place.ts";
import { startStyr } from "../../test/lab/harness/styr.ts";
import { until } from "../../test/lab/harness/wait.ts";
import { HTTP, pathTo, STREAM, serveStreams } from "./bare.ts";
import type { Path } from "./measure.ts";

const SITE = "bench.example.org";

/** `near` and `far`: hosts of the same link, and behind a router. */
export interface StyrHosts {
  readonly client: Host;
  readonly near: Host;
  readonly far: Host;
}

export async function layStyr(cluster: LabCluster, { client, near, far }: StyrHosts): Promise<readonly Path[]> {
  const hosts = [client, near, far];
  await startStyr(cluster.server, cluster.programOf(cluster.server), ["server"]);
  await cluster.signIn();
  const [url, token] = await cluster.tokenFor("agent", hosts.length);
  for (const host of hosts) await cluster.join(host, url, token, ...(host === client ? ["--way-in"] : []));
  await cluster.untilReady(hosts);
  await cluster.apply(pod("client", client));
  for (const host of hosts) await cluster.apply(pod(nameOn(host), host));
  await cluster.apply(serviceOf(near));
  await cluster.apply(ingressTo(near));
  const [from] = await placesOf(cluster, "client", 1);
  const servers = (await Promise.all(hosts.map((host) => placesOf(cluster, nameOn(host), 1)))).flat();
  for (const { host, container } of servers) await serveStreams(host, container);
  const [same, nextTo, behind] = servers;
  if (!from || !same || !nextTo || !behind) throw new Error("pods are missing");
  return waysFrom(cluster, from, { same, nextTo, behind });
}

type Servers = Readonly<Record<"same" | "nextTo" | "behind", PodPlace>>;

async function waysFrom(
  cluster: LabCluster,
  from: PodPlace,
  { same, nextTo, behind }: Servers,
): Promise<readonly Path[]> {
  const { clusterIP, ports } = (
    await cluster.client.must<{ spec: { clusterIP: string; ports: { nodePort: number }[] } }>(
      cluster.server,
      `/api/v1/namespaces/default/services/${nameOn(nextTo.host)}`,
    )
  ).spec;
  const way = (name: string, to: string) => pathTo(from.host, from.container, name, to);
  const paths: readonly Path[] = [
    way("Styrmann, same host", same.address),
    way("Styrmann, other host, routes", nextTo.address),
    way("Styrmann, service address, other host", clusterIP),
    {
      ...way("Styrmann, node port, other host", nextTo.host.address),
      port: ports[0]?.nodePort ?? 0,
      streamPort: ports[1]?.nodePort ?? 0,
    },
    {
      name: "Styrmann, HAProxy, other host",
      host: from.host,
      client: from.container,
      to: from.host.address,
      port: 80,
      hostHeader: SITE,
    },
    way("Styrmann, other host, VXLAN", behind.address),
  ];
  for (const path of paths) await answers(path);
  return paths;
}

async function answers({ name, host, client, to, port, hostHeader = to }: Path): Promise<void> {
  const words = ["wrk", "-t1", "-c1", "-d1s", "-H", `Host: ${hostHeader}`, `http://${to}:${port}/`];
  let said = "";
  const isFine = async () => {
    const { stdout, stderr } = await host.run(["docker", "exec", client, ...words], { timeoutMs: 10_000 });
    said = stdout + stderr;
    return /Requests\/sec:\s+[1-9]/.test(said) && !/Non-2xx/.test(said);
  };
  await until(`${name} answers`, isFine, { withinMs: 30_000, seen: () => said });
}

const nameOn = (host: Host) => `server-${host.name}`;

function pod(name: string, host: Host): string {
  const ports = [
    { name: "http", containerPort: HTTP },
    { name: "stream", containerPort: STREAM },
  ];
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name } },
    spec: {
      nodeSelector: { "kubernetes.io/hostname": host.name },
      containers: [{ name: "main", image: TOOLS_IMAGE, ports, readinessProbe: { httpGet: { path: "/", port: HTTP } } }],
    },
  });
}

function serviceOf(host: Host): string {
  const ports = [
    { name: "http", port: HTTP, targetPort: "http" },
    { name: "stream", port: STREAM, targetPort: "stream" },
  ];
  const spec = { type: "NodePort", selector: { app: nameOn(host) }, ports };
  return JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name: nameOn(host) }, spec });
}

function ingressTo(host: Host): string {
  const backend = { service: { name: nameOn(host), port: { name: "http" } } };
  const http = { paths: [{ path: "/", pathType: "Prefix", backend }] };
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "bench" },
    spec: { rules: [{ host: SITE, http }] },
  });
}
