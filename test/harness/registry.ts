/** A private image registry on loopback (Debian's docker-registry), to be a Docker Engine's mirror. Filled over its own HTTP API. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { TestImage } from "./images.ts";
import { makeSandbox, waitForDaemon } from "./sandbox.ts";

export interface Registry {
  /** `http://127.0.0.1:PORT`, or of the address that it was given, for --registry-mirror. */
  readonly url: string;
  /** `127.0.0.1:PORT`, for names such as `127.0.0.1:PORT/team/app:1`. */
  readonly host: string;
  /** Stores images under their public names: `busybox:1` is found by `docker pull busybox:1` of an engine with this mirror. */
  putImages(images: readonly TestImage[]): Promise<void>;
  /** Kills it and removes its files; happens by itself when the test process ends. */
  stop(): void;
}

/** `address`: where it listens, for engines that have a network of their own; loopback without it. */
export async function startRegistry(address = "127.0.0.1"): Promise<Registry> {
  const port = await freePort();
  const sandbox = makeSandbox("registry", () => ({ cgroups: [] }));
  mkdirSync(join(sandbox.dir, "store"));
  const config = join(sandbox.dir, "config.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog: { level: warn }\nstorage: { filesystem: { rootdirectory: ${sandbox.dir}/store } }\nhttp: { addr: "${address}:${port}" }\n`,
  );
  sandbox.spawn("docker-registry", ["docker-registry", "serve", config]);
  const url = `http://${address}:${port}`;
  try {
    await waitForDaemon(sandbox.dir, "docker-registry", () =>
      fetch(`${url}/v2/`).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
  } catch (error) {
    sandbox.stop();
    throw error;
  }
  return {
    url,
    host: `${address}:${port}`,
    putImages: async (images) => {
      for (const image of images) await putImage(url, image);
    },
    stop: () => sandbox.stop(),
  };
}

async function putImage(url: string, image: TestImage): Promise<void> {
  const layer = gzipSync(image.layer, { level: 1 });
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: image.config,
      rootfs: { type: "layers", diff_ids: [digestOf(image.layer)] },
    }),
  );
  for (const name of image.names) {
    const [path = "", tag = "latest"] = name.split(":");
    const repository = path.includes("/") ? path : `library/${path}`;
    await putBlob(url, repository, layer);
    await putBlob(url, repository, config);
    const type = "application/vnd.docker.distribution.manifest.v2+json";
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: {
        mediaType: "application/vnd.docker.container.image.v1+json",
        size: config.length,
        digest: digestOf(config),
      },
      layers: [
        { mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", size: layer.length, digest: digestOf(layer) },
      ],
    });
    const headers = { "Content-Type": type };
    await expectCreated(
      await fetch(`${url}/v2/${repository}/manifests/${tag}`, { method: "PUT", headers, body: manifest }),
    );
  }
}

async function putBlob(url: string, repository: string, blob: Buffer): Promise<void> {
  const started = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const target = new URL(started.headers.get("location") ?? "", url);
  target.searchParams.set("digest", digestOf(blob));
  const headers = { "Content-Type": "application/octet-stream" };
  await expectCreated(await fetch(target, { method: "PUT", headers, body: new Uint8Array(blob) }));
}

async function expectCreated(answer: Response): Promise<void> {
  if (answer.status !== 201) throw new Error(`registry: ${answer.status} ${await answer.text()} for ${answer.url}`);
}

function digestOf(data: Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** A port of loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
