import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { ArchiveError, type ArchiveHeader } from "../../store/archive/archive-format.ts";
import { type ArchiveVisitor, readArchive } from "../../store/archive/read-archive.ts";

/** Reads the whole file. Throws ArchiveError, with its name and what is wrong. */
export async function readBackup(file: string, visitor: ArchiveVisitor = {}): Promise<ArchiveHeader> {
  try {
    return await readArchive(createReadStream(file), visitor);
  } catch (error) {
    if (error instanceof ArchiveError) throw new ArchiveError(`${file}: ${error.message}`);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new ArchiveError(`${file}: there is no such file`);
    throw code === undefined ? error : new ArchiveError(`${file} cannot be read: ${message}`);
  }
}

export interface CheckedBackup {
  readonly header: ArchiveHeader;
  readonly bytes: number;
  /** Rows by kind. */
  readonly kinds: ReadonlyMap<string, number>;
}

export async function checkBackup(file: string): Promise<CheckedBackup> {
  const kinds = new Map<string, number>();
  const header = await readBackup(file, { row: ({ kind }) => void kinds.set(kind, (kinds.get(kind) ?? 0) + 1) });
  return { header, bytes: (await stat(file)).size, kinds };
}
