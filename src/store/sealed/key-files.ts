import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { JournalRefusal } from "../journal.ts";
import { KEY_BYTES } from "./cipher.ts";

const LEAST_PASSPHRASE = 12;

/** 32 bytes, or these in 64 hexadecimal digits. Undefined when there is no file. */
export async function readKey(file: string): Promise<Buffer | undefined> {
  const bytes = await readPrivate(file);
  if (bytes === undefined || bytes.length === KEY_BYTES) return bytes;
  const text = bytes.toString("latin1").trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  throw new JournalRefusal(`${file} holds no key: a master key is ${KEY_BYTES} bytes, or 64 hexadecimal digits`);
}

/** The first line of the file. Undefined when there is no file. */
export async function readPassphrase(file: string): Promise<string | undefined> {
  const bytes = await readPrivate(file);
  if (bytes === undefined) return undefined;
  const [line = ""] = bytes.toString("utf8").split(/\r?\n/);
  if (line.length >= LEAST_PASSPHRASE) return line;
  throw new JournalRefusal(`${file}: a passphrase has at least ${LEAST_PASSPHRASE} characters, in the first line`);
}

async function readPrivate(file: string): Promise<Buffer | undefined> {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) throw new JournalRefusal(`${file} can be read by others; first: chmod 600 ${file}`);
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (error instanceof JournalRefusal) throw error;
    throw new JournalRefusal(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Whole or not at all, and unless said otherwise for its owner alone. */
export async function keepPrivate(file: string, bytes: Buffer | string, mode = 0o600): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, bytes, { mode, flush: true });
  await rename(`${file}.new`, file);
}
