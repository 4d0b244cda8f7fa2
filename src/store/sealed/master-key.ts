import { createHash, createHmac, randomBytes, scrypt } from "node:crypto";
import type { KeyringMaster } from "../../model/keyring.ts";
import { KEY_BYTES } from "./cipher.ts";

/** The key that wraps the data keys, and how it is found again. Never stored with what it opens. */
export interface MasterKey {
  readonly bytes: Buffer;
  readonly about: KeyringMaster;
}

/** Where a process finds its master key. */
export interface MasterKeys {
  /** For words: a file's path; empty when it is not known. */
  readonly where: string;
  /** Every key that might be the one; the right one is known by its id. Fails with JournalRefusal in words. */
  candidates(wanted: KeyringMaster): Promise<readonly Buffer[]>;
  /** For a store that has no keyring yet: the one that is there, or a new one. */
  make(): Promise<MasterKey>;
  /** Reads a new one, from a file of this host, and sees to it that it is found again from now on. */
  prepare(from: NewMasterKey): Promise<MasterKey>;
  /** The keyring is wrapped by this one: it takes the usual place. One that lay there is put aside, as older backups need it. */
  settled(master: MasterKey): Promise<void>;
}

/** One of the two: a path. */
export interface NewMasterKey {
  readonly keyFile?: string;
  readonly passphraseFile?: string;
}

/** OWASP's password storage figures for 32 MiB: what guessing costs, too. */
const SCRYPT = { cost: 2 ** 15, blockSize: 8, parallelization: 3 } as const;

/** Tells one key from another without giving it away. */
export function idOf(key: Buffer): string {
  return createHash("sha256").update("styrmann master key id\n").update(key).digest("hex").slice(0, 16);
}

export function macOf(key: Buffer, text: string): string {
  return createHmac("sha256", key).update("styrmann keyring\n").update(text).digest("hex");
}

/** Of a backup: only who has the key can have written what has this digest. */
export function archiveMacOf(key: Buffer, sha256: string): string {
  return createHmac("sha256", key).update("styrmann backup\n").update(sha256).digest("hex");
}

export function newMasterKey(): MasterKey {
  return fileMaster(randomBytes(KEY_BYTES));
}

export function fileMaster(bytes: Buffer): MasterKey {
  return { bytes, about: { type: "file", id: idOf(bytes) } };
}

export async function passphraseMaster(passphrase: string): Promise<MasterKey> {
  const salt = randomBytes(16).toString("base64");
  const bytes = await deriveKey(passphrase, { ...SCRYPT, salt });
  return { bytes, about: { type: "passphrase", id: idOf(bytes), salt, ...SCRYPT } };
}

type Scrypt = Omit<Extract<KeyringMaster, { type: "passphrase" }>, "type" | "id">;

/** A stored cost is not to be trusted with all memory there is. */
const MOST_MEMORY_BYTES = 256 * 2 ** 20;

export function deriveKey(passphrase: string, { salt, cost, blockSize, parallelization }: Scrypt): Promise<Buffer> {
  const options = { N: cost, r: blockSize, p: parallelization, maxmem: MOST_MEMORY_BYTES };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFC"), Buffer.from(salt, "base64"), KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
