/** The demonstration of `styr up --demo`: an image made here, three files, and the real client to show them. */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { importImage } from "../drivers/docker/images.ts";
import { LABEL } from "../drivers/docker/labels.ts";
import { type TarEntry, tarOf } from "../drivers/docker/tar.ts";
import { DriverError } from "../drivers/driver.ts";
import type { NodeSide } from "./node-side.ts";
import type { Settings } from "./settings.ts";
import type { UpIo } from "./up-io.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const IMAGE = "styrmann/demo:1";
const FILES = ["hello.service", "web.json", "clock.yaml"];
/** A static busybox, as Debian's busybox-static installs it. */
const BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"];

export async function runDemo(
  settings: Settings,
  io: UpIo,
  node: Pick<NodeSide, "engine"> & { readonly instance: string },
): Promise<void> {
  await makeImage(io, node);
  io.say("");
  io.say("The demonstration: one file per format, from examples/");
  const files = FILES.flatMap((name) => ["-f", join(PROJECT, "examples", name)]);
  const placed = await styr(settings, io.signal, ["apply", ...files, "--timeout", "90s"]);
  if (io.signal.aborted) return;
  if (placed !== 0) io.say("Not all of it runs; styr why NAME says why.");
}

/** Without Docker, or without busybox, the pods of the demonstration wait and say why. */
async function makeImage(io: UpIo, { engine, instance }: Parameters<typeof runDemo>[2]): Promise<void> {
  const busybox = staticBusybox();
  if (busybox === undefined) {
    io.say(`cannot make the image ${IMAGE}: there is no static busybox here (Debian: apt-get install busybox-static)`);
    return;
  }
  try {
    await importImage(engine, tarOf(rootOf(busybox)), IMAGE, [
      "ENV PATH=/bin",
      `LABEL ${LABEL.instance}=${instance}`,
      'CMD ["sh"]',
    ]);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    io.say(`cannot make the image ${IMAGE}: ${error.message}`);
  }
}

function staticBusybox(): string | undefined {
  return BUSYBOX.find((file) => {
    if (!statSync(file, { throwIfNoEntry: false })) return false;
    // An ELF file that names no interpreter needs no libraries. PT_INTERP's path stands near the beginning.
    return !readFileSync(file).subarray(0, 4096).includes("ld-linux");
  });
}

function rootOf(busybox: string): readonly TarEntry[] {
  const { stdout } = spawnSync(busybox, ["--list"], { encoding: "utf8" });
  const applets = stdout
    .trim()
    .split("\n")
    .filter((name) => name !== "busybox" && name !== "");
  const folders = ["bin", "dev", "etc", "proc", "sys", "tmp", "www"];
  const text = (path: string, content: string): TarEntry => ({ path, type: "file", data: Buffer.from(content) });
  return [
    ...folders.map((path): TarEntry => ({ path, type: "directory", mode: path === "tmp" ? 0o1777 : 0o755 })),
    { path: "bin/busybox", type: "file", mode: 0o755, data: readFileSync(busybox) },
    ...applets.map((name): TarEntry => ({ path: `bin/${name}`, type: "symlink", target: "busybox" })),
    text("etc/passwd", "root:x:0:0:root:/:/bin/sh\n"),
    text("www/index.html", "ok\n"),
  ];
}

/** The client as a person would call it, on this process' own socket; what it prints is what they would see. */
function styr(settings: Settings, signal: AbortSignal, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const main = join(PROJECT, "src/cli/main.ts");
    const argv = ["--disable-warning=ExperimentalWarning", main, "--server", `unix://${settings.socketPath}`, ...args];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "inherit", "inherit"] });
    const stop = () => child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    child.on("close", (code) => {
      signal.removeEventListener("abort", stop);
      resolve(code ?? 1);
    });
  });
}
