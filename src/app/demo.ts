/** The demonstration of `styr up --demo`: an image made here, three files, and the real client to show them. */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readHostFacts } from "../doctor/host-facts.ts";
import { commandRunner, installPackages, installRefusal } from "../doctor/install-engine.ts";
import { importImage } from "../drivers/docker/images.ts";
import { LABEL } from "../drivers/docker/labels.ts";
import { type TarEntry, tarOf } from "../drivers/docker/tar.ts";
import { DriverError } from "../drivers/driver.ts";
import { environment } from "./environment.ts";
import type { NodeSide } from "./node-side.ts";
import type { Settings } from "./settings.ts";
import type { UpIo } from "./up-io.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const IMAGE = "styrmann/demo:1";
const FILES = ["hello.service", "web.json", "clock.yaml"];
const NEED_IMAGE: readonly string[] = ["web.json", "clock.yaml"];
/** Of the archive that the image was made of: the same one need not be imported again. */
const DIGEST_LABEL = "dev.styrmann.demo-digest";
/** A static busybox, as Debian's busybox-static installs it. */
const BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"];

export async function runDemo(
  settings: Settings,
  io: UpIo,
  node: Pick<NodeSide, "engine"> & { readonly instance: string },
): Promise<void> {
  const hasImage = await makeImage(settings, io, node);
  io.say("");
  io.say("The demonstration: one file per format, from examples/");
  // Without the image of our own they would ask a public registry for one of that name.
  const runnable = hasImage ? FILES : FILES.filter((name) => !NEED_IMAGE.includes(name));
  const files = runnable.flatMap((name) => ["-f", join(PROJECT, "examples", name)]);
  const placed = await styr(settings, io.signal, ["apply", ...files, "--timeout", "90s"]);
  if (io.signal.aborted) return;
  if (placed !== 0) io.say("Not all of it runs; styr why NAME says why.");
}

/** False, with the reason said, when it cannot be made: no Docker, or no static busybox. */
async function makeImage(
  settings: Settings,
  io: UpIo,
  { engine, instance }: Parameters<typeof runDemo>[2],
): Promise<boolean> {
  const busybox = staticBusybox() ?? (await installBusybox(settings, io));
  if (busybox === undefined) {
    io.say(`cannot make the image ${IMAGE}: there is no static busybox here (Debian: apt-get install busybox-static)`);
    return false;
  }
  try {
    const layer = tarOf(rootOf(busybox));
    const digest = createHash("sha256").update(layer).digest("hex").slice(0, 32);
    const labels = { [LABEL.instance]: instance, [DIGEST_LABEL]: digest };
    if (await isThere(engine, labels)) return true;
    const lines = Object.entries(labels).map(([key, value]) => `LABEL ${key}=${value}`);
    await importImage(engine, layer, IMAGE, ["ENV PATH=/bin", ...lines, 'CMD ["sh"]']);
    return true;
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    io.say(`cannot make the image ${IMAGE}: ${error.message}`);
    return false;
  }
}

async function isThere(engine: NodeSide["engine"], labels: Readonly<Record<string, string>>): Promise<boolean> {
  const filters = JSON.stringify({
    reference: [IMAGE],
    label: Object.entries(labels).map(([key, value]) => `${key}=${value}`),
  });
  return (await engine.call<unknown[]>({ method: "GET", path: "/images/json", query: { filters } })).length > 0;
}

/** By the same route and on the same conditions as the Docker Engine. */
async function installBusybox(settings: Settings, io: UpIo): Promise<string | undefined> {
  if (!settings.mayInstall) return undefined;
  const facts = await readHostFacts({ stateDir: settings.stateDir, path: process.env.PATH ?? "" });
  if (installRefusal(facts) !== undefined) return undefined;
  io.say("The demonstration's image is made of a static busybox, which is not on this machine.");
  const run = commandRunner(environment());
  const outcome = await installPackages(["busybox-static"], facts, { run, progress: (line) => io.say(`  ${line}`) });
  io.say(outcome.message);
  return staticBusybox();
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
