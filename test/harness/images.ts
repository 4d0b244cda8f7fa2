/** Small images for tests, made of Debian's busybox-static: no network, the same bytes every time. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type TarEntry, tarOf } from "../../src/drivers/docker/tar.ts";

export interface TestImage {
  /** `busybox:1`, `coolvds/nginx-custom:1.6`. */
  readonly names: readonly string[];
  /** The only layer, a tar archive. */
  readonly layer: Buffer;
  /** `config` of an image: Cmd, Entrypoint, Env, StopSignal, … */
  readonly config: Readonly<Record<string, unknown>>;
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** `python3 -m http.server [PORT] [--bind A] [--directory D]`, with busybox' httpd; `python3 -c`/files are refused in words. */
const PYTHON3 = `#!/bin/sh
if [ "$1" = "--version" ]; then echo "Python 3.11.2"; exit 0; fi
[ "$1" = "-u" ] && shift
if [ "$1" != "-m" ] || [ "$2" != "http.server" ]; then echo "python3: this image only knows -m http.server" >&2; exit 2; fi
shift 2
port=8000; dir=.
while [ $# -gt 0 ]; do
  case "$1" in
    --bind|-b) shift;;
    --directory|-d) shift; dir="$1";;
    *) port="$1";;
  esac
  shift
done
echo "Serving HTTP on 0.0.0.0 port $port (http://0.0.0.0:$port/) ..."
exec httpd -f -v -p "$port" -h "$dir"
`;

/** busybox:1, an HTTP server on port 80 as coolvds/nginx-custom:1.6 and :1.8, and python:3. */
export function testImages(): TestImage[] {
  const root = busyboxRoot();
  const page = (version: string): TarEntry => file("www/index.html", `nginx ${version}\n`);
  const nginx = (version: string): TestImage => ({
    names: [`coolvds/nginx-custom:${version}`],
    layer: tarOf([...root, { path: "www", type: "directory" }, page(version)]),
    config: {
      Cmd: ["httpd", "-f", "-p", "80", "-h", "/www"],
      Env: [PATH],
      StopSignal: "SIGKILL",
      ExposedPorts: { "80/tcp": {} },
    },
  });
  return [
    { names: ["busybox:1", "busybox:latest"], layer: tarOf(root), config: { Cmd: ["sh"], Env: [PATH] } },
    nginx("1.6"),
    nginx("1.8"),
    {
      names: ["python:3"],
      layer: tarOf([...root, file("usr/bin/python3", PYTHON3, 0o755)]),
      config: { Cmd: ["python3"], Env: [PATH, "LANG=C.UTF-8"], WorkingDir: "/srv" },
    },
  ];
}

/** A root file system: /bin/busybox and a link for each of its commands. */
export function busyboxRoot(): TarEntry[] {
  const busybox = execFileSync("which", ["busybox"], { encoding: "utf8" }).trim();
  const commands = execFileSync(busybox, ["--list"], { encoding: "utf8" }).trim().split("\n");
  const directories = ["bin", "dev", "etc", "proc", "root", "srv", "sys", "tmp", "usr", "usr/bin", "var"];
  return [
    ...directories.map((path): TarEntry => ({ path, type: "directory", mode: path === "tmp" ? 0o1777 : 0o755 })),
    { path: "bin/busybox", type: "file", mode: 0o755, data: readFileSync(busybox) },
    ...commands
      .filter((command) => command !== "busybox")
      .map((command): TarEntry => ({ path: `bin/${command}`, type: "symlink", target: "busybox" })),
    file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
    file("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
  ];
}

function file(path: string, text: string, mode = 0o644): TarEntry {
  return { path, type: "file", mode, data: Buffer.from(text) };
}
