/** Writes tar archives (POSIX ustar) in memory, for images that are made here: the infra container's, the demonstration's. */

export interface TarEntry {
  /** Path in the archive, without a leading slash, at most 100 bytes. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  readonly mode?: number;
  readonly data?: Uint8Array;
  /** Target of a symlink. */
  readonly target?: string;
}

const BLOCK = 512;
const TYPE_FLAG = { file: "0", symlink: "2", directory: "5" } as const;

/** The archive's bytes. All entries belong to root and are dated 0, so that the same entries give the same bytes. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const data = entry.data ?? new Uint8Array();
    parts.push(header(entry, data.length), data, Buffer.alloc(padding(data.length)));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

function header({ path, type, mode, target }: TarEntry, size: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`tar: path longer than 100 bytes: ${path}`);
  if (Buffer.byteLength(target ?? "") > 100) throw new RangeError(`tar: link target longer than 100 bytes: ${target}`);
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0);
  block.write(octal(mode ?? (type === "file" ? 0o644 : 0o755), 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write("        ", 148);
  block.write(TYPE_FLAG[type], 156);
  block.write(target ?? "", 157);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, width: number): string {
  return value.toString(8).padStart(width, "0");
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
