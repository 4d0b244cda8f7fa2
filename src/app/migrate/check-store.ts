import type { JournalContents } from "../../store/journal.ts";
import { readSealed } from "../../store/sealed/sealed-row.ts";
import { keyringIn, Vault } from "../../store/sealed/vault.ts";
import { readPlace } from "../instance.ts";
import { allKinds, masterKeysOf } from "../server/seal-journal.ts";
import type { Settings } from "../settings.ts";
import { SQLITE } from "../store-place.ts";
import { openToRead } from "./opened-store.ts";
import { storeSurroundings } from "./store-surroundings.ts";

export interface StoreCheck {
  readonly name: string;
  readonly revision: number;
  readonly rows: number;
  readonly sealed: number;
  /** Rows that cannot be read, in words. */
  readonly problems: readonly string[];
}

/** Reads every row of a store whose server is stopped, and opens what is sealed. Changes nothing. */
export async function checkStore(settings: Settings): Promise<StoreCheck> {
  const place = (await readPlace(settings.stateDir))?.store ?? SQLITE;
  const opened = await openToRead(place, storeSurroundings(settings));
  await opened.close();
  const { revision, rows } = opened.contents;
  const { sealed, problems } = await problemsOf(opened.contents, settings);
  return { name: opened.name, revision, rows: rows.length, sealed, problems };
}

async function problemsOf({ rows }: JournalContents, settings: Settings) {
  const vault = new Vault(allKinds(), masterKeysOf(settings));
  const spec = rows.map((row) => keyringIn(row, row.json)).find((found) => found !== undefined);
  if (spec) await vault.find(spec);
  const state = spec && vault.read(spec);
  if (state) vault.use(state);
  const problems: string[] = [];
  let sealed = 0;
  for (const row of rows) {
    try {
      const isSealed = readSealed(row.json) !== undefined;
      if (isSealed) sealed++;
      JSON.parse(isSealed || vault.isSealed(row.kind) ? vault.open(row, row.json) : row.json);
    } catch (error) {
      problems.push(
        error instanceof SyntaxError ? `${row.kind} ${row.key}: ${error.message}` : (error as Error).message,
      );
    }
  }
  return { sealed, problems };
}
