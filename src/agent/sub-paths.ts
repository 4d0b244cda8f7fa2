import { execFile } from "node:child_process";
import { constants, type Stats } from "node:fs";
import { chmod, type FileHandle, lstat, mkdir, open, realpath, rmdir, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ConfigurationError } from "./configuration-error.ts";
import { unmountBelow } from "./mounts.ts";

const run = promisify(execFile);

/** Linux: the file is only named; no device is opened by it and no FIFO waited for. Node has no constant for it. */
const O_PATH = 0o10000000;

/** A part of a volume that a container mounts. */
export interface SubPath {
  /** The volume, for messages. */
  readonly volume: string;
  readonly base: string;
  readonly subPath: string;
  /** A missing directory is made, with the mode of the one it is in. */
  readonly mayMake: boolean;
}

/**
 * Opens what a subPath names. Containers can write to the volume meanwhile, so nothing is looked up twice: each
 * component is opened in the directory opened before it, and links are not followed. A link that stays in the volume
 * is resolved first and its target then walked in the same way.
 */
export async function openSubPath(wanted: SubPath, options: { readonly links: boolean }): Promise<FileHandle> {
  try {
    return await walk(wanted, componentsOf(wanted));
  } catch (error) {
    if (!(error instanceof LinkInTheWay)) throw wordsOf(wanted, error as NodeJS.ErrnoException);
  }
  if (!options.links)
    throw refusal(wanted, "has a link in it, and only an agent that runs as root can follow it safely");
  try {
    return await walk(wanted, await resolvedComponents(wanted));
  } catch (error) {
    if (error instanceof LinkInTheWay) throw refusal(wanted, "was changed while it was looked at");
    throw wordsOf(wanted, error as NodeJS.ErrnoException);
  }
}

/**
 * Mounts an opened file or directory at `target`, a place that no container can reach, so that what the runtime
 * mounts later cannot be exchanged. Does nothing where it is mounted already.
 */
export async function bindAt(handle: FileHandle, target: string): Promise<void> {
  const wanted = await handle.stat();
  const present = await statOf(target);
  if (present !== undefined && isSame(present, wanted)) return;
  if (present !== undefined) await removeBinding(target);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  if (wanted.isDirectory()) await mkdir(target, { mode: 0o700 });
  else await writeFile(target, "", { flag: "wx", mode: 0o600 });
  // mount(8) would otherwise turn the descriptor into a path again, which a container can change.
  try {
    await run("mount", ["--no-canonicalize", "--bind", "--make-private", placeOf(handle), target]);
  } catch (error) {
    // Also when it has been deleted since it was opened; another try opens what is there then.
    throw new ConfigurationError(
      `a subPath cannot be mounted: ${(error as { stderr?: string }).stderr?.trim() || String(error)}`,
    );
  }
  if (!isSame(await lstat(target), wanted)) throw new Error(`${target} is not what was mounted there`);
}

/** Never deletes in what is mounted: the place itself is an empty file or directory. */
export async function removeBinding(target: string): Promise<void> {
  await unmountBelow(target);
  const present = await statOf(target);
  if (present?.isDirectory()) await rmdir(target);
  else if (present) await unlink(target);
}

class LinkInTheWay extends Error {}

async function walk({ base, mayMake }: SubPath, components: readonly string[]): Promise<FileHandle> {
  let at = await open(base, O_PATH | constants.O_DIRECTORY);
  for (const name of components) {
    const before = at;
    try {
      at = await enter(before, name, mayMake);
    } finally {
      await before.close();
    }
  }
  return at;
}

async function enter(directory: FileHandle, name: string, mayMake: boolean): Promise<FileHandle> {
  const path = `${placeOf(directory)}/${name}`;
  try {
    return await openUnfollowed(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || !mayMake) throw error;
  }
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const made = await openUnfollowed(path);
  try {
    // As kubelet does: without it, only root could write where everybody may.
    const { mode } = await directory.stat();
    if ((await made.stat()).isDirectory()) await chmod(placeOf(made), mode & 0o2777);
    return made;
  } catch (error) {
    await made.close();
    throw error;
  }
}

/** With O_PATH and O_NOFOLLOW, a link itself is opened. */
async function openUnfollowed(path: string): Promise<FileHandle> {
  const handle = await open(path, O_PATH | constants.O_NOFOLLOW);
  if (!(await handle.stat()).isSymbolicLink()) return handle;
  await handle.close();
  throw new LinkInTheWay(path);
}

/** By process id, because mount(8) is another process. */
function placeOf(handle: FileHandle): string {
  return `/proc/${process.pid}/fd/${handle.fd}`;
}

function componentsOf(wanted: SubPath): readonly string[] {
  const components = wanted.subPath.split("/").filter((name) => name !== "" && name !== ".");
  if (components.includes("..")) throw refusal(wanted, "leaves its volume");
  return components;
}

/** Where the links lead now; the walk that follows makes sure. */
async function resolvedComponents(wanted: SubPath): Promise<readonly string[]> {
  const base = await realpath(wanted.base);
  const found = await realpath(join(wanted.base, wanted.subPath));
  if (!`${found}/`.startsWith(`${base}/`)) throw refusal(wanted, "leads out of it");
  return found.slice(base.length).split("/").filter(Boolean);
}

function wordsOf(wanted: SubPath, error: NodeJS.ErrnoException): Error {
  if (error.code === "ENOTDIR") return refusal(wanted, "goes through something that is not a directory");
  if (error.code === "ENOENT") return refusal(wanted, "is not there");
  if (error.code === "ELOOP") return refusal(wanted, "goes through too many links");
  return error;
}

function refusal({ volume, subPath }: SubPath, words: string): ConfigurationError {
  return new ConfigurationError(`subPath "${subPath}" of volume "${volume}" ${words}`);
}

function isSame(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

async function statOf(path: string): Promise<Stats | undefined> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
