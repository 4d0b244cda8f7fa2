/** A Docker Engine for a lab host, laid out as Debian's package does it: containerd and dockerd as two services, at the usual socket. */
import { existsSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import type { Host } from "./host.ts";
import { until } from "./wait.ts";

export interface EngineOptions {
  /** Public names are pulled from there, without TLS. */
  readonly mirror?: string;
  /** Containers survive the daemon. Default true; a swarm refuses it. */
  readonly liveRestore?: boolean;
  /** As Docker is installed: a program of the host listens at published ports, and asks containers as the host. Default false. */
  readonly hasUserlandProxy?: boolean;
}

/**
 * No CRI, which is Kubernetes'. A shim that does not answer containerd within five seconds of its start is taken for dead, with its container: on
 * a machine that all hosts of a lab share that says nothing.
 */
const CONTAINERD = `version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[timeouts]
"io.containerd.timeout.shim.load" = "60s"
`;

/** Also after a crash of one of the two, or of the host: what runs already is left alone. */
export async function startEngine(
  host: Host,
  { mirror, liveRestore = true, hasUserlandProxy = false }: EngineOptions = {},
): Promise<void> {
  const config = join(host.dir, "containerd.toml");
  writeFileSync(config, CONTAINERD);
  if (!host.runs("containerd")) host.start("containerd", ["containerd", "--config", config, "--log-level", "warn"]);
  await until(`containerd of ${host.name} listens`, () => existsSync(host.path("/run/containerd/containerd.sock")), {
    seen: () => host.log("containerd").slice(-2000),
    withinMs: 30_000,
  });
  if (host.runs("dockerd")) return;
  await host.run(["rm", "-f", "/var/run/docker.pid"]);
  host.start("dockerd", [
    ...["dockerd", "--containerd", "/run/containerd/containerd.sock", "--storage-driver", "overlay2"],
    ...[`--userland-proxy=${hasUserlandProxy}`, "--shutdown-timeout", "3", "--log-level", "warn"],
    ...(liveRestore ? ["--live-restore"] : []),
    ...(mirror ? ["--registry-mirror", mirror] : []),
  ]);
  await until(`the engine of ${host.name} answers`, () => answers(host.path("/run/docker.sock")), {
    seen: () => host.log("dockerd").slice(-2000),
    withinMs: 60_000,
  });
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ socketPath, path: "/_ping", timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => resolve(false));
    sent.end();
  });
}

/** The first process of each container on a host, by name: the same twice means that nothing was restarted. */
export async function runningContainers(host: Host): Promise<ReadonlyMap<string, number>> {
  let found: ReadonlyMap<string, number> = new Map();
  const isOneMoment = async () => {
    const ids = (await host.must(["docker", "ps", "-q", "--no-trunc"])).split("\n").filter(Boolean);
    found = ids.length === 0 ? new Map() : await firstProcesses(host, ids);
    // One that ended between the two looks runs no more, and another may have begun in its place.
    return found.size === ids.length;
  };
  await until(`the containers of ${host.name} stay while they are looked at`, isOneMoment, { withinMs: 20_000 });
  return found;
}

/** Of those of these containers that run, by name. */
export async function firstProcesses(host: Host, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const asked = ["docker", "inspect", "-f", "{{.Name}} {{.State.Pid}}", ...ids];
  const { code, stdout, stderr } = await host.run(asked);
  if (code !== 0 && !/no such (object|container)/i.test(stderr))
    throw new Error(`${host.name}: ${asked.join(" ")}: ${stderr}`);
  const lines = stdout.split("\n").filter(Boolean);
  const pairs = lines.map((line) => line.split(" ")).map(([name = "", pid]) => [name, Number(pid)] as const);
  return new Map(pairs.filter(([, pid]) => pid > 0));
}
