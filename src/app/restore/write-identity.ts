import { existsSync } from "node:fs";
import { readFile, rename } from "node:fs/promises";
import type { ClusterTrust } from "../../model/cluster-trust.ts";
import { keepPrivate, readKey } from "../../store/sealed/key-files.ts";
import { idOf, type MasterKey } from "../../store/sealed/master-key.ts";
import { bundleOf, signerOf } from "../../trust/authorities.ts";
import { identityFiles } from "../membership.ts";

/** The master key and the CA of the cluster, where a server looks for them. What lay there is put aside. Gives notes for people. */
export async function writeIdentity(
  stateDir: string,
  master: MasterKey | undefined,
  trust: ClusterTrust | undefined,
): Promise<readonly string[]> {
  const files = identityFiles(stateDir);
  const notes: string[] = [];
  if (master) notes.push(...(await writeMaster(files.masterKey, master)));
  if (trust) {
    const { keyPem } = signerOf(trust.spec);
    notes.push(...(await replace(files.caKey, keyPem)), ...(await replace(files.ca, bundleOf(trust.spec), 0o644)));
  } else {
    notes.push("the backup holds no CA: the server keeps its own, and hosts of another one have to join again");
  }
  return notes;
}

/** One of a passphrase stays with whoever knows that. */
async function writeMaster(file: string, { about, bytes }: MasterKey): Promise<readonly string[]> {
  if (about.type === "passphrase") return [];
  const present = await readKey(file);
  if (present && idOf(present) === about.id) return [];
  const notes = present ? [await putAside(file, idOf(present))] : [];
  await keepPrivate(file, bytes);
  return notes;
}

async function replace(file: string, text: string, mode = 0o600): Promise<readonly string[]> {
  const present = existsSync(file) ? await readFile(file, "utf8") : undefined;
  if (present === text) return [];
  const notes = present === undefined ? [] : [await putAside(file, "before-restore")];
  await keepPrivate(file, text, mode);
  return notes;
}

async function putAside(file: string, why: string): Promise<string> {
  const aside = `${file}.${why}`;
  await rename(file, aside);
  return `${file} was another one; it is kept as ${aside}`;
}
