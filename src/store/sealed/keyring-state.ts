/** A keyring, opened: pure functions of what is stored and of the master key. */
import { createHash, randomBytes } from "node:crypto";
import type { KeyringSpec, WrappedKey } from "../../model/keyring.ts";
import { JournalRefusal } from "../journal.ts";
import { KEY_BYTES, open, seal } from "./cipher.ts";
import { type MasterKey, macOf } from "./master-key.ts";

export interface KeyringState {
  readonly spec: KeyringSpec;
  /** By id. */
  readonly keys: ReadonlyMap<string, Buffer>;
}

/** A keyring with one new data key. `completeKinds`: of these kinds there is nothing in clear. */
export function newKeyring(master: MasterKey, madeAt: string, completeKinds?: readonly string[]): KeyringSpec {
  const key = newDataKey(master, madeAt);
  const complete = completeKinds ? ({ isComplete: true, completeKinds } as const) : {};
  return signed(master, { master: master.about, dataKeys: [key], primary: key.id, ...complete });
}

/** With one more data key, which is written with from now on. */
export function withNewKey(spec: KeyringSpec, master: MasterKey, madeAt: string): KeyringSpec {
  const key = newDataKey(master, madeAt);
  return signed(master, { ...spec, dataKeys: [...spec.dataKeys, key], primary: key.id });
}

/** Without the data keys that no row needs; and, once it is so, with the word that nothing lies in clear. */
export function tidied(spec: KeyringSpec, master: MasterKey, completeKinds: readonly string[]): KeyringSpec {
  const dataKeys = spec.dataKeys.filter(({ id }) => id === spec.primary);
  return signed(master, { ...spec, dataKeys, isComplete: true, completeKinds });
}

/** What an earlier program means by a complete keyring. */
const FIRST_KINDS: readonly string[] = ["ClusterTrust", "Secret"];

/** Whether a row of this kind in clear was put there by somebody else. */
export function isCompleteFor({ isComplete, completeKinds }: KeyringSpec, kind: string): boolean {
  return isComplete === true && (completeKinds ?? FIRST_KINDS).includes(kind);
}

/** The same data keys, wrapped by another master key. */
export function rewrapped({ spec, keys }: KeyringState, master: MasterKey): KeyringSpec {
  const dataKeys = spec.dataKeys.map(({ id, madeAt }) => wrap(master, keys.get(id) as Buffer, madeAt));
  return signed(master, { ...spec, master: master.about, dataKeys });
}

/** Throws JournalRefusal when the keyring is not as its master key made it. */
export function openKeyring(spec: KeyringSpec, master: MasterKey): KeyringState {
  if (macOf(master.bytes, textOf(spec)) !== spec.mac) throw damaged("it was changed");
  const keys = new Map<string, Buffer>();
  for (const { id, wrapped } of spec.dataKeys) {
    const key = open(master.bytes, wrapped, aboutOf(id));
    if (!key) throw damaged(`data key ${id} does not open`);
    keys.set(id, key);
  }
  if (!keys.has(spec.primary)) throw damaged(`data key ${spec.primary} is missing`);
  return { spec, keys };
}

function damaged(what: string): JournalRefusal {
  return new JournalRefusal(
    `the keyring in the store is damaged: ${what}. The master key is the right one; put the store back from a backup`,
  );
}

function newDataKey(master: MasterKey, madeAt: string): WrappedKey {
  return wrap(master, randomBytes(KEY_BYTES), madeAt);
}

function wrap(master: MasterKey, key: Buffer, madeAt: string): WrappedKey {
  const id = createHash("sha256").update("styrmann data key id\n").update(key).digest("hex").slice(0, 12);
  return { id, madeAt, wrapped: seal(master.bytes, key, aboutOf(id)) };
}

function aboutOf(id: string): string {
  return JSON.stringify(["styrmann data key", id]);
}

function signed(master: MasterKey, spec: Omit<KeyringSpec, "mac">): KeyringSpec {
  return { ...spec, mac: macOf(master.bytes, textOf(spec)) };
}

/** In one order of fields, whatever wrote it. */
function textOf({ master, dataKeys, primary, isComplete, completeKinds }: Omit<KeyringSpec, "mac">): string {
  const fields = Object.entries(master).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    fields,
    dataKeys.map(({ id, madeAt, wrapped }) => [id, madeAt, wrapped]),
    primary,
    isComplete ?? false,
    ...(completeKinds ? [completeKinds] : []),
  ]);
}
