import { kernelKinds } from "../../model/kinds.ts";
import type { Kind } from "../../model/meta.ts";
import type { Journal, SharedJournal } from "../../store/journal.ts";
import { FileMasterKeys } from "../../store/sealed/file-master-keys.ts";
import { openSealed, type Surroundings } from "../../store/sealed/open-sealed.ts";
import type { SealedJournal } from "../../store/sealed/sealed-journal.ts";
import type { SealedSharedJournal } from "../../store/sealed/sealed-shared-journal.ts";
import { identityFiles } from "../membership.ts";
import { personalities } from "../personalities.ts";

export interface KeySettings {
  readonly stateDir: string;
  /** As given with --master-key-file. */
  readonly masterKeyFile?: string | undefined;
  /** As given with --passphrase-file. */
  readonly passphraseFile?: string | undefined;
}

/** The journal with secrets sealed in it, by the master key of this host. */
export function sealJournal(journal: SharedJournal, settings: KeySettings, around: Surroundings): SealedSharedJournal;
export function sealJournal(journal: Journal, settings: KeySettings, around: Surroundings): SealedJournal;
export function sealJournal(journal: Journal, settings: KeySettings, around: Surroundings): SealedJournal {
  return openSealed(journal, allKinds(), masterKeysOf(settings), around);
}

export function masterKeysOf({ stateDir, masterKeyFile, passphraseFile }: KeySettings): FileMasterKeys {
  const given = {
    ...(masterKeyFile === undefined ? {} : { keyFile: masterKeyFile }),
    ...(passphraseFile === undefined ? {} : { passphraseFile }),
  };
  return new FileMasterKeys({ usual: identityFiles(stateDir).masterKey, given });
}

/** Every kind that this program stores. */
export function allKinds(): readonly Kind[] {
  return [...kernelKinds, ...personalities.flatMap(({ kinds }) => kinds)];
}
