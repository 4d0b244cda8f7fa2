import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { KeyringMaster } from "../../model/keyring.ts";
import { JournalRefusal } from "../journal.ts";
import { KEY_BYTES } from "./cipher.ts";
import {
  deriveKey,
  fileMaster,
  idOf,
  type MasterKey,
  type MasterKeys,
  newMasterKey,
  passphraseMaster,
} from "./master-key.ts";

export interface MasterKeyFiles {
  /** `pki/master.key` of the state directory. */
  readonly usual: string;
  /** As given with --master-key-file. */
  readonly keyFile?: string;
  /** As given with --passphrase-file. */
  readonly passphraseFile?: string;
}

/** Put beside a key or a passphrase before the keyring is wrapped anew, and in its place after. */
export const NEXT = ".next";

/** The master key in a file, or made of a passphrase in a file. The right one is known by its id, so it may lie in any of them. */
export class FileMasterKeys implements MasterKeys {
  readonly #files: MasterKeyFiles;

  constructor(files: MasterKeyFiles) {
    this.#files = files;
  }

  get where(): string {
    return this.#files.passphraseFile ?? this.keyFile;
  }

  get keyFile(): string {
    return this.#files.keyFile ?? this.#files.usual;
  }

  async candidates(wanted: KeyringMaster): Promise<readonly Buffer[]> {
    const keys = await Promise.all(this.#keyFiles().map(readKey));
    const phrases = await Promise.all(this.#passphraseFiles().map(readPassphrase));
    const found = keys.filter((key) => key !== undefined);
    if (wanted.type !== "passphrase") return found;
    const derived = phrases.flatMap((phrase) => (phrase === undefined ? [] : [deriveKey(phrase, wanted)]));
    return [...(await Promise.all(derived)), ...found];
  }

  async make(): Promise<MasterKey> {
    const { keyFile, passphraseFile } = this.#files;
    if (passphraseFile !== undefined) {
      const phrase = await readPassphrase(passphraseFile);
      if (phrase === undefined) throw missing("--passphrase-file", passphraseFile);
      return passphraseMaster(phrase);
    }
    const known = await readKey(this.keyFile);
    if (known) return fileMaster(known);
    if (keyFile !== undefined) throw missing("--master-key-file", keyFile);
    const made = newMasterKey();
    await keepKey(this.keyFile, made.bytes);
    return made;
  }

  async settled({ bytes }: MasterKey): Promise<void> {
    for (const file of [this.keyFile, this.#files.usual]) {
      const next = await readKey(file + NEXT);
      if (next && idOf(next) === idOf(bytes)) await rename(file + NEXT, file);
    }
  }

  #keyFiles(): readonly string[] {
    const files = [this.keyFile, this.#files.usual];
    return [...new Set(files.flatMap((file) => [file, file + NEXT]))];
  }

  #passphraseFiles(): readonly string[] {
    const { passphraseFile } = this.#files;
    return passphraseFile === undefined ? [] : [passphraseFile, passphraseFile + NEXT];
  }
}

function missing(option: string, file: string): JournalRefusal {
  return new JournalRefusal(`${option} ${file}: there is no such file`);
}

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
  if (line.length < 12) throw new JournalRefusal(`${file}: a passphrase has at least 12 characters`);
  return line;
}

async function readPrivate(file: string): Promise<Buffer | undefined> {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) throw new JournalRefusal(`${file} can be read by others: chmod 600 ${file}`);
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (error instanceof JournalRefusal) throw error;
    throw new JournalRefusal(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Whole or not at all. */
export async function keepKey(file: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, bytes, { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}
