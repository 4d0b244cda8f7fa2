import { type JournalEntry, JournalRefusal } from "../journal.ts";

const KIND = "StoreMoved";
const KEY = "moved";

type Row = JournalEntry & { readonly json: string };

/** Written last into a store that was moved: a server that still remembers it must not go on with what it was. */
export function movedRow(
  revision: number,
  moved: { readonly to: string; readonly at: string; readonly host: string },
): Row {
  return { kind: KIND, key: KEY, revision, json: JSON.stringify(moved) };
}

/** Throws JournalRefusal for a store that lives somewhere else by now. */
export function refuseMoved(rows: readonly Row[]): void {
  const row = rows.find(({ kind, key }) => kind === KIND && key === KEY);
  if (!row) return;
  const { to, at, host } = JSON.parse(row.json) as { readonly to: string; readonly at: string; readonly host: string };
  throw new JournalRefusal(
    `this store was moved to ${to} at ${at}, on ${host}, and what is here is old: start the server there, and let this host join it ` +
      "(styr uninstall, then styr join). To take the old store all the same, remove the row " +
      `${KIND}/${KEY} from it`,
  );
}
