/** What everything else is compared with: plain Docker bridges, and routes between them laid by hand. */
import type { Host } from "../../test/lab/harness/host.ts";
import { TOOLS_IMAGE } from "../../test/lab/harness/lab-images.ts";
import { until } from "../../test/lab/harness/wait.ts";
import type { Path } from "./measure.ts";

export const HTTP = 80;
export const STREAM = 5201;
const NETWORK = "bare";

const rangeOf = (host: Host) => `172.31.${host.n}`;
const addressOf = (host: Host) => `${rangeOf(host)}.10`;

/** A server's container `NAME`, with iperf3 beside it; the client is one, too. */
export async function startTools(host: Host, name: string, where: readonly string[]): Promise<void> {
  await host.must(["docker", "run", "-d", "--name", name, "-e", `WHO_PORT=${HTTP}`, ...where, TOOLS_IMAGE]);
  await serveStreams(host, name);
}

/** iperf3 in a container that is there. */
export async function serveStreams(host: Host, container: string): Promise<void> {
  await host.must(["docker", "exec", "-d", container, "iperf3", "-s"]);
  const listens = async () =>
    (await host.must(["docker", "exec", container, "netstat", "-ltn"])).includes(`:${STREAM} `);
  await until(`iperf3 of ${container} on ${host.name} listens`, listens, { withinMs: 10_000 });
}

/** On each of the hosts one container with an address that the others have a route to, and no translation on the way. */
export async function layBare(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    const bridge = [
      "-o",
      "com.docker.network.bridge.name=bare",
      "-o",
      "com.docker.network.bridge.enable_ip_masquerade=false",
    ];
    await host.must(["docker", "network", "create", ...bridge, "--subnet", `${rangeOf(host)}.0/24`, NETWORK]);
    await host.must(["iptables", "-I", "DOCKER-USER", "-s", "172.31.0.0/16", "-d", "172.31.0.0/16", "-j", "ACCEPT"]);
    for (const other of hosts)
      if (other !== host) await host.must(["ip", "route", "add", `${rangeOf(other)}.0/24`, "via", other.address]);
    await startTools(host, "bare", ["--network", NETWORK, "--ip", addressOf(host)]);
    await startTools(host, "bare-2", ["--network", NETWORK]);
  }
}

export function bareSameHost(host: Host): Path {
  return pathTo(host, "bare-2", "plain Docker, same bridge", addressOf(host));
}

export function barePath(from: Host, to: Host): Path {
  return pathTo(from, "bare", "bare path between two hosts' bridges", addressOf(to));
}

export function pathTo(host: Host, client: string, name: string, to: string): Path {
  return { name, host, client, to, port: HTTP, streamPort: STREAM };
}
