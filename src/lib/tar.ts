/** A tar archive (POSIX.1-1988, ustar) of text files, for people to unpack with whatever they have. */
export interface TarFile {
  /** At most 100 bytes, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const BLOCK = 512;

/** `atMs`: what every file says it was written at. */
export function tarOf(files: readonly TarFile[], atMs: number): Buffer {
  const parts = files.flatMap(({ path, text }) => {
    const body = Buffer.from(text, "utf8");
    return [header(path, body.length, atMs), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(path: string, bytes: number, atMs: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`the path is too long for tar: ${path}`);
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, at: number) => block.write(text, at, "utf8");
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  put(path, 0);
  put(`${octal(0o600, 7)}\0`, 100);
  put(`${octal(0, 7)}\0`, 108);
  put(`${octal(0, 7)}\0`, 116);
  put(`${octal(bytes, 11)}\0`, 124);
  put(`${octal(Math.floor(atMs / 1000), 11)}\0`, 136);
  // The sum counts its own field as blanks.
  put(" ".repeat(8), 148);
  put("0", 156);
  put("ustar\u000000", 257);
  const sum = block.reduce((all, byte) => all + byte, 0);
  put(`${octal(sum, 6)}\0 `, 148);
  return block;
}
