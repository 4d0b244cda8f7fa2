import type { Kind } from "../../model/meta.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Random } from "../../seams/random.ts";
import type { Journal, SharedJournal } from "../journal.ts";
import type { MasterKeys } from "./master-key.ts";
import { SealedJournal } from "./sealed-journal.ts";
import { SealedSharedJournal } from "./sealed-shared-journal.ts";
import { Vault } from "./vault.ts";

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The journal with rows of sealed kinds encrypted in it. Its `load` fails with JournalRefusal, in words, when the master
 * key is missing or another one, or a row was changed; then nothing was written.
 */
export function openSealed(
  journal: SharedJournal,
  kinds: readonly Kind[],
  keys: MasterKeys,
  around: Surroundings,
): SealedSharedJournal;
export function openSealed(
  journal: Journal,
  kinds: readonly Kind[],
  keys: MasterKeys,
  around: Surroundings,
): SealedJournal;
export function openSealed(
  journal: Journal,
  kinds: readonly Kind[],
  keys: MasterKeys,
  around: Surroundings,
): SealedJournal {
  const options = { kinds, vault: new Vault(kinds, keys), ...around };
  if (isShared(journal)) return new SealedSharedJournal(journal, options);
  return new SealedJournal(journal, options);
}

export function isShared(journal: Journal): journal is SharedJournal {
  return "campaign" in journal;
}
