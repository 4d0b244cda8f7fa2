import { execFile } from "node:child_process";
import { chmod, chown, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { bytes } from "../lib/quantity.ts";
import { type Container, driverOf, type Pod, type Volume, type VolumeMount } from "../model/pod.ts";
import { ConfigurationError } from "./configuration-error.ts";
import { keyFiles, writeKeyFiles } from "./key-files.ts";
import { mountsBelow, unmountBelow } from "./mounts.ts";
import { isSafeName } from "./safe-name.ts";
import { bindAt, openSubPath, removeBinding } from "./sub-paths.ts";
import { makeTerminationFile, readTerminationFile } from "./termination-files.ts";
import type { Values } from "./values.ts";

const run = promisify(execFile);

/** Beside the volumes, where no container reaches: what their subPaths name, mounted. */
const SUB_PATHS = ".subpaths";
const LAST_WORDS = ".termination";

/** Where a pod's volumes come from. Idempotent; what was made is found again by its place, never by memory. */
export interface Volumes {
  /** Volume name → path on the host. Throws ConfigurationError when one cannot be had. */
  make(pod: Pod, values: Values): Promise<ReadonlyMap<string, string>>;
  /** Index in the container's volumeMounts → path on the host, for those with a subPath. For each run anew. */
  subPaths(pod: Pod, container: Container, volumes: ReadonlyMap<string, string>): Promise<ReadonlyMap<number, string>>;
  /** A file for the last words of one run of a container. */
  terminationFile?(pod: Pod, container: string, attempt: number): Promise<string>;
  /** What was written to it; undefined when nothing was. */
  terminationMessage?(podUid: string, container: string, attempt: number): Promise<string | undefined>;
  remove(podUid: string): Promise<void>;
  /** Uids of pods that have volumes here. */
  pods(): Promise<readonly string[]>;
}

/** Volumes as directories under `directory`/<uid>/; emptyDir with medium Memory is a tmpfs when we are root. */
export class FileVolumes implements Volumes {
  readonly #directory: string;
  readonly #canMount: boolean;

  constructor(directory: string, options: { readonly canMount: boolean }) {
    this.#directory = directory;
    this.#canMount = options.canMount;
  }

  async make(pod: Pod, values: Values): Promise<ReadonlyMap<string, string>> {
    const made = new Map<string, string>();
    if (pod.spec.volumes?.length) await closeHome(this.#homeOf(pod.metadata.uid), pod);
    for (const volume of pod.spec.volumes ?? []) made.set(volume.name, await this.#makeOne(pod, volume, values));
    return made;
  }

  async subPaths(pod: Pod, container: Container, volumes: ReadonlyMap<string, string>) {
    const found = new Map<number, string>();
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const base = volumes.get(mount.name);
      if (!mount.subPath || base === undefined) continue;
      if (!isSafeName(container.name)) throw new ConfigurationError(`"${container.name}" is not a container name`);
      const place = join(this.#homeOf(pod.metadata.uid), SUB_PATHS, `${container.name}-${index}`);
      found.set(index, await this.#subPath(pod, mount, base, place));
    }
    return found;
  }

  async terminationFile(pod: Pod, container: string, attempt: number): Promise<string> {
    const home = this.#homeOf(pod.metadata.uid);
    await closeHome(home, pod);
    return await makeTerminationFile(join(home, LAST_WORDS), container, attempt);
  }

  async terminationMessage(podUid: string, container: string, attempt: number): Promise<string | undefined> {
    return await readTerminationFile(join(this.#homeOf(podUid), LAST_WORDS), container, attempt);
  }

  async remove(podUid: string): Promise<void> {
    const home = this.#homeOf(podUid);
    const bound = join(home, SUB_PATHS);
    for (const name of (await readdir(bound).catch(absent)) ?? []) await removeBinding(join(bound, name));
    await unmountBelow(home);
    await rm(home, { recursive: true, force: true });
  }

  async pods(): Promise<readonly string[]> {
    const names = await readdir(this.#directory).catch(absent);
    return (names ?? []).filter(isSafeName).toSorted();
  }

  #homeOf(podUid: string): string {
    if (!isSafeName(podUid)) throw new ConfigurationError(`"${podUid}" is not a uid`);
    return join(this.#directory, podUid);
  }

  async #makeOne(pod: Pod, volume: Volume, values: Values): Promise<string> {
    if (volume.hostPath) return await checkedHostPath(volume.hostPath.path, volume.hostPath.type ?? "");
    if (!isSafeName(volume.name) || volume.name.startsWith("."))
      throw new ConfigurationError(`"${volume.name}" is not a volume name`);
    const path = join(this.#homeOf(pod.metadata.uid), volume.name);
    const group = pod.spec.securityContext?.fsGroup;
    const { secret, configMap } = volume;
    if (secret) await writeKeyFiles(path, keyFiles(volume.name, secret, values[`Secret/${secret.secretName}`]), group);
    else if (configMap)
      await writeKeyFiles(path, keyFiles(volume.name, configMap, values[`ConfigMap/${configMap.name}`]), group);
    else if (volume.emptyDir) await this.#makeEmptyDir(path, volume.emptyDir, group);
    else throw new ConfigurationError(`volume "${volume.name}" is of a kind that is not supported`);
    return path;
  }

  async #makeEmptyDir(
    path: string,
    { medium, sizeLimit }: NonNullable<Volume["emptyDir"]>,
    group?: number,
  ): Promise<void> {
    await mkdir(path, { recursive: true });
    if (medium === "Memory" && this.#canMount && !(await mountsBelow(path)).includes(path)) {
      const size = sizeLimit === undefined ? [] : ["-o", `size=${bytes(sizeLimit)}`];
      await run("mount", ["-t", "tmpfs", ...size, "tmpfs", path]);
    }
    // Kubernetes' mode for emptyDir: any user of the pod may write; with fsGroup, new files belong to the group.
    if (group !== undefined) await chown(path, -1, group);
    await chmod(path, group === undefined ? 0o777 : 0o2777);
  }

  async #subPath(pod: Pod, mount: VolumeMount, base: string, place: string): Promise<string> {
    const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
    // As Docker does for a hostPath without a type.
    if (volume?.hostPath && (volume.hostPath.type ?? "") === "") await mkdir(base, { recursive: true, mode: 0o755 });
    const wanted = { volume: mount.name, base, subPath: mount.subPath ?? "" };
    const mayMake = volume?.secret === undefined && volume?.configMap === undefined;
    const handle = await openSubPath({ ...wanted, mayMake }, { links: this.#canMount });
    try {
      // Without mounts, what was looked at can still be exchanged before the runtime mounts it: docs/security.md.
      if (!this.#canMount) return join(base, wanted.subPath);
      await bindAt(handle, place);
      return place;
    } finally {
      await handle.close();
    }
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}

/**
 * Files of secrets may be readable by all inside a container (0644 by default): on the host, nobody gets to them. Processes and units of
 * other users go through, and cannot look around.
 */
async function closeHome(home: string, pod: Pod): Promise<void> {
  await mkdir(home, { recursive: true });
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(driverOf);
  await chmod(home, all.every((driver) => driver === "docker" || driver === "fake") ? 0o700 : 0o711);
}

const TYPE_CHECKS: Readonly<
  Record<string, { readonly is: (s: Awaited<ReturnType<typeof stat>>) => boolean; readonly word: string }>
> = {
  Directory: { is: (s) => s.isDirectory(), word: "a directory" },
  DirectoryOrCreate: { is: (s) => s.isDirectory(), word: "a directory" },
  File: { is: (s) => s.isFile(), word: "a file" },
  FileOrCreate: { is: (s) => s.isFile(), word: "a file" },
  Socket: { is: (s) => s.isSocket(), word: "a socket" },
  CharDevice: { is: (s) => s.isCharacterDevice(), word: "a character device" },
  BlockDevice: { is: (s) => s.isBlockDevice(), word: "a block device" },
};

/** Kubernetes' hostPath types. With none, nothing is checked and Docker makes a missing directory. */
async function checkedHostPath(path: string, type: string): Promise<string> {
  if (!path.startsWith("/") || path.split("/").includes("..")) {
    throw new ConfigurationError(`hostPath "${path}" must be absolute and without ".."`);
  }
  if (type === "") return path;
  const check = TYPE_CHECKS[type];
  if (check === undefined) throw new ConfigurationError(`hostPath type "${type}" is not known`);
  const found = await stat(path).catch(absent);
  if (found === undefined && type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: 0o755 });
  else if (found === undefined && type === "FileOrCreate") await createFile(path);
  else if (found === undefined) throw new ConfigurationError(`hostPath type check failed: ${path} does not exist`);
  else if (!check.is(found)) throw new ConfigurationError(`hostPath type check failed: ${path} is not ${check.word}`);
  return path;
}

async function createFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  // Created, or not opened at all: what came there since it was looked for may be a FIFO, at which this would wait.
  await writeFile(path, "", { flag: "wx", mode: 0o644 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
