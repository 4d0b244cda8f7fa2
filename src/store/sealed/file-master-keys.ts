import { readFile, rename } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { KeyringMaster } from "../../model/keyring.ts";
import { JournalRefusal } from "../journal.ts";
import { keepPrivate, readKey, readPassphrase } from "./key-files.ts";
import {
  deriveKey,
  fileMaster,
  idOf,
  type MasterKey,
  type MasterKeys,
  type NewMasterKey,
  newMasterKey,
  passphraseMaster,
} from "./master-key.ts";

export interface MasterKeyFiles {
  /** `pki/master.key` of the state directory. */
  readonly usual: string;
  /** As given with --master-key-file and --passphrase-file; remembered beside the usual file. */
  readonly given?: NewMasterKey;
}

interface Remembered {
  readonly keyFiles: readonly string[];
  readonly passphraseFiles: readonly string[];
}

/** Kept ready beside the usual file before the keyring is wrapped anew, and put in its place after. */
const NEXT = ".next";

/** The master key in a file, or made of a passphrase in a file. The right one is known by its id, so it may lie in any of them. */
export class FileMasterKeys implements MasterKeys {
  readonly #usual: string;
  readonly #given: NewMasterKey;
  #where: string;

  constructor({ usual, given = {} }: MasterKeyFiles) {
    this.#usual = usual;
    this.#given = given;
    this.#where = given.passphraseFile ?? given.keyFile ?? usual;
  }

  get where(): string {
    return this.#where;
  }

  async candidates(wanted: KeyringMaster): Promise<readonly Buffer[]> {
    const { keyFiles, passphraseFiles } = await this.#remembered();
    this.#where = await this.#placeOf(wanted);
    const files = [...keyFiles, this.#usual, this.#usual + NEXT];
    const keys = (await Promise.all(files.map(readKey))).filter((key) => key !== undefined);
    if (wanted.type !== "passphrase") return keys;
    const phrases = (await Promise.all(passphraseFiles.map(readPassphrase))).filter((text) => text !== undefined);
    return [...(await Promise.all(phrases.map((phrase) => deriveKey(phrase, wanted)))), ...keys];
  }

  async make(): Promise<MasterKey> {
    const { keyFile, passphraseFile } = this.#given;
    if (keyFile !== undefined || passphraseFile !== undefined) return readGiven(this.#given);
    const known = await readKey(this.#usual);
    if (known) return fileMaster(known);
    const made = newMasterKey();
    await keepPrivate(this.#usual, made.bytes);
    return made;
  }

  async prepare(from: NewMasterKey): Promise<MasterKey> {
    const master = await readGiven(from);
    if (from.passphraseFile === undefined) await keepPrivate(this.#usual + NEXT, master.bytes);
    else await this.#remember({ passphraseFile: resolve(from.passphraseFile) });
    return master;
  }

  async settled({ bytes, about }: MasterKey): Promise<void> {
    await this.#remember(this.#given);
    await this.#putInPlace({ bytes, about });
    this.#where = await this.#placeOf(about);
  }

  async #putInPlace({ bytes, about }: MasterKey): Promise<void> {
    const [usual, next] = [await readKey(this.#usual), await readKey(this.#usual + NEXT)];
    const isNext = next !== undefined && idOf(next) === about.id;
    if (usual && !usual.equals(bytes) && (isNext || about.type === "passphrase"))
      await rename(this.#usual, `${this.#usual}.old-${idOf(usual)}`);
    if (isNext) await rename(this.#usual + NEXT, this.#usual);
  }

  /** Where it is, or where it is to be. */
  async #placeOf({ type, id }: KeyringMaster): Promise<string> {
    const { keyFiles, passphraseFiles } = await this.#remembered();
    if (type === "passphrase") return passphraseFiles[0] ?? "";
    for (const file of [...keyFiles, this.#usual]) {
      const key = await readKey(file);
      if (key && idOf(key) === id) return file;
    }
    return this.#given.keyFile ?? this.#usual;
  }

  get #memory(): string {
    return join(dirname(this.#usual), "master.json");
  }

  /** The newest first, beginning with what was given this time. */
  async #remembered(): Promise<Remembered> {
    const { keyFiles, passphraseFiles } = await readRemembered(this.#memory);
    const { keyFile, passphraseFile } = this.#given;
    return { keyFiles: withFirst(keyFile, keyFiles), passphraseFiles: withFirst(passphraseFile, passphraseFiles) };
  }

  async #remember({ keyFile, passphraseFile }: NewMasterKey): Promise<void> {
    const before = await readRemembered(this.#memory);
    const after: Remembered = {
      keyFiles: withFirst(keyFile, before.keyFiles),
      passphraseFiles: withFirst(passphraseFile, before.passphraseFiles),
    };
    if (JSON.stringify(after) === JSON.stringify(before)) return;
    await keepPrivate(this.#memory, `${JSON.stringify(after, undefined, 2)}\n`);
  }
}

const MOST_REMEMBERED = 4;

function withFirst(file: string | undefined, files: readonly string[]): readonly string[] {
  if (file === undefined) return files;
  const path = resolve(file);
  return [path, ...files.filter((other) => other !== path)].slice(0, MOST_REMEMBERED);
}

async function readRemembered(file: string): Promise<Remembered> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Remembered;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { keyFiles: [], passphraseFiles: [] };
    throw new JournalRefusal(`${file} cannot be read: ${(error as Error).message}`);
  }
}

async function readGiven({ keyFile, passphraseFile }: NewMasterKey): Promise<MasterKey> {
  if (passphraseFile !== undefined) {
    const phrase = await readPassphrase(passphraseFile);
    if (phrase === undefined) throw missing(passphraseFile);
    return passphraseMaster(phrase);
  }
  const key = keyFile === undefined ? undefined : await readKey(keyFile);
  if (key === undefined) throw missing(String(keyFile));
  return fileMaster(key);
}

function missing(file: string): JournalRefusal {
  return new JournalRefusal(
    `${file}: there is no such file. A master key is 32 random bytes: (umask 077; head -c 32 /dev/urandom > ${file})`,
  );
}
