import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { KeyFiles } from "../model/pod.ts";
import { ConfigurationError } from "./configuration-error.ts";
import { isSafeName } from "./safe-name.ts";

/** One file of a secret or config map: its path below the mount, and what is in it. */
interface KeyFile {
  readonly path: string;
  readonly value: string;
  readonly mode: number;
}

const DEFAULT_MODE = 0o644;

/** What a volume shows. `values` is absent when the source is; an optional one then shows nothing. Throws ConfigurationError. */
export function keyFiles(
  volume: string,
  { items, defaultMode = DEFAULT_MODE, optional }: KeyFiles,
  values: Readonly<Record<string, string>> = {},
): readonly KeyFile[] {
  const wanted = items ?? Object.keys(values).map((key) => ({ key, path: key, mode: undefined }));
  return wanted.flatMap(({ key, path, mode = defaultMode }) => {
    if (!path.split("/").every(isSafeName)) throw new ConfigurationError(`"${path}" is not a file name`);
    if (Object.hasOwn(values, key)) return [{ path, value: values[key] ?? "", mode }];
    if (optional === true) return [];
    throw new ConfigurationError(
      `MountVolume.SetUp failed for volume "${volume}": references non-existent config key: ${key}`,
    );
  });
}

/** Replaced by renaming, so that a reader never sees half a value; files that are no longer wanted go. With a group, it may read. */
export async function writeKeyFiles(directory: string, files: readonly KeyFile[], group?: number): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  for (const file of files) await writeKeyFile(directory, file, group);
  await prune(directory, "", new Set(files.map(({ path }) => path)));
}

async function writeKeyFile(directory: string, { path, value, mode }: KeyFile, group: number | undefined) {
  const place = join(directory, path);
  const partial = join(dirname(place), `.partial.${basename(place)}`);
  await mkdir(dirname(place), { recursive: true, mode: 0o755 });
  await rm(partial, { force: true });
  // A container that may write here could put a link in the way: created, or not at all.
  const handle = await open(partial, "wx", 0o400);
  try {
    await handle.writeFile(value);
    if (group !== undefined) await handle.chown(-1, group);
    await handle.chmod(group === undefined ? mode : mode | 0o440);
  } finally {
    await handle.close();
  }
  await rename(partial, place);
}

async function prune(directory: string, below: string, wanted: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (wanted.has(path) && !entry.isDirectory()) continue;
    const leads = entry.isDirectory() && [...wanted].some((each) => each.startsWith(`${path}/`));
    if (leads) await prune(directory, path, wanted);
    else await rm(join(directory, path), { recursive: true, force: true });
  }
}
