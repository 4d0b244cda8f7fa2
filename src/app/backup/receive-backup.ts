/** Takes a backup as it comes, and believes it only when its end was there and all before it as it was written. */
import { existsSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import type { ArchiveHeader } from "../../store/archive/archive-format.ts";
import { ArchiveError } from "../../store/archive/archive-format.ts";
import { readArchive } from "../../store/archive/read-archive.ts";

export interface Received {
  readonly header: ArchiveHeader;
  readonly bytes: number;
}

export interface ReceiveOptions {
  /** Replace a file that is there. */
  readonly force: boolean;
  progress(bytes: number): void;
}

/** Into `FILE.part`, which becomes `FILE` once it is whole; readable for its owner alone. */
export async function receiveBackup(
  source: AsyncIterable<Uint8Array>,
  file: string,
  { force, progress }: ReceiveOptions,
): Promise<Received> {
  refuseToReplace(file, force);
  const part = `${file}.part`;
  const handle = await openNew(part);
  try {
    const received = await passOn(source, async (bytes) => void (await handle.writeFile(bytes)), progress);
    await handle.sync();
    await rename(part, file);
    return received;
  } catch (error) {
    await rm(part, { force: true });
    throw inWords(error);
  } finally {
    await handle.close();
  }
}

async function openNew(part: string): Promise<FileHandle> {
  try {
    await rm(part, { force: true });
    return await open(part, "wx", 0o600);
  } catch (error) {
    throw new ArchiveError(`${part} cannot be written: ${(error as Error).message}`);
  }
}

/** Asked before a server is. */
export function refuseToReplace(file: string, force: boolean): void {
  if (!force && file !== "-" && existsSync(file))
    throw new ArchiveError(`${file} is there already: --force replaces it`);
}

/** To `write`, piece by piece, as it is read. */
export async function passOn(
  source: AsyncIterable<Uint8Array>,
  write: (bytes: Uint8Array) => Promise<void>,
  progress: (bytes: number) => void,
): Promise<Received> {
  let bytes = 0;
  const noted = async function* () {
    for await (const piece of source) {
      await write(piece);
      bytes += piece.length;
      progress(bytes);
      yield piece;
    }
  };
  const header = await readArchive(noted());
  return { header, bytes };
}

function inWords(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE")
    return new ArchiveError("the server broke off in the middle; nothing was kept");
  return code === "ENOSPC" ? new ArchiveError("the disk is full; nothing was kept") : error;
}
