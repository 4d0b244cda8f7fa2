/** Images of Debian's own programs with the libraries that they load: a server that says who asks whom, redis, and tools to measure with. */
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { type TarEntry, tarOf } from "../../../src/drivers/docker/tar.ts";
import { busyboxRoot, type TestImage } from "../../harness/images.ts";

/**
 * Answers `NAME ADDRESS-OF-THE-CLIENT VERSION`, HTTP/1.1 with keep-alive, on `WHO_PORT` (80): HAProxy by itself, without disk or fork. As a
 * client it has curl and getent, which ask for names as most programs do.
 */
export const WHO_IMAGE = "lab/who:1";
/** The same, which says 2 at the end. */
export const WHO_IMAGE_2 = "lab/who:2";
export const REDIS_IMAGE = "redis:7";
/** The test of speed: wrk, iperf3, the server of `lab/who`, and a shell. */
export const TOOLS_IMAGE = "lab/tools:1";

const ENV = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "WHO_PORT=80", "WHO_THREADS=1"];

const WHO = `global
  maxconn 400
  nbthread "\${WHO_THREADS}"
defaults
  mode http
  timeout client 1h
  timeout server 5s
  timeout connect 5s
frontend who
  bind :"\${WHO_PORT}"
  http-request return status 200 content-type text/plain lf-string "%[hostname] %[src] VERSION\\n"
`;
const WHO_COMMAND = ["haproxy", "-db", "-f", "/etc/who.cfg"];

export function labImages(): readonly TestImage[] {
  const base = busyboxRoot();
  return [
    whoImage(base, WHO_IMAGE, "1"),
    whoImage(base, WHO_IMAGE_2, "2"),
    {
      names: [REDIS_IMAGE],
      layer: tarOf([...base, ...withLibraries(["redis-server", "redis-cli"])]),
      config: {
        Cmd: ["redis-server", "--save", "", "--protected-mode", "no"],
        Env: ENV,
        ExposedPorts: { "6379/tcp": {} },
      },
    },
  ];
}

export function toolsImage(): TestImage {
  const programs = withLibraries(["haproxy", "wrk", "iperf3"]);
  const layer = tarOf([...busyboxRoot(), ...programs, whoConfig("1")]);
  return { names: [TOOLS_IMAGE], layer, config: { Cmd: WHO_COMMAND, Env: ENV } };
}

function whoImage(base: readonly TarEntry[], name: string, version: string): TestImage {
  return {
    names: [name],
    layer: tarOf([...base, ...withLibraries(["haproxy", "curl", "getent"]), whoConfig(version)]),
    config: { Cmd: WHO_COMMAND, Env: ENV, ExposedPorts: { "80/tcp": {} } },
  };
}

function whoConfig(version: string): TarEntry {
  return file("etc/who.cfg", Buffer.from(WHO.replace("VERSION", version)));
}

/** Each program at /usr/bin, and what ldd says it loads, at its own path. */
function withLibraries(programs: readonly string[]): readonly TarEntry[] {
  const found = programs.map((name) => ({ name, path: execFileSync("which", [name], { encoding: "utf8" }).trim() }));
  const libraries = new Set(found.flatMap(({ path }) => librariesOf(path)));
  return [
    ...[...libraries].sort().map((path) => file(path.slice(1), readFileSync(realpathSync(path)), 0o755)),
    ...found.map(({ name, path }) => file(`usr/bin/${name}`, readFileSync(realpathSync(path)), 0o755)),
  ];
}

function librariesOf(path: string): readonly string[] {
  const lines = execFileSync("ldd", [path], { encoding: "utf8" }).split("\n");
  return lines.flatMap((line) => /(?:=> |^\s*)(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

function file(path: string, data: Buffer, mode = 0o644): TarEntry {
  return { path, type: "file", mode, data };
}
