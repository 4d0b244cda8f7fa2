import { open, seal } from "./cipher.ts";

/** How a row of a sealed kind lies in the journal, and in a backup. */
export interface SealedRow {
  readonly sealed: "v1";
  /** Id of the data key. */
  readonly key: string;
  readonly box: string;
}

/** Undefined for a row in clear: one of an earlier version. */
export function readSealed(json: string): SealedRow | undefined {
  if (!json.startsWith('{"sealed":')) return undefined;
  const row = JSON.parse(json) as Partial<SealedRow>;
  return row.sealed === "v1" && typeof row.key === "string" && typeof row.box === "string"
    ? (row as SealedRow)
    : undefined;
}

/**
 * For its kind and key, not for its revision: a store that is copied or restored numbers its rows anew, and whoever can
 * put an old row back could put its old number back with it.
 */
export function sealRow(dataKey: Buffer, id: string, kind: string, key: string, json: string): string {
  const row: SealedRow = { sealed: "v1", key: id, box: seal(dataKey, Buffer.from(json), aboutOf(kind, key)) };
  return JSON.stringify(row);
}

/** The object's JSON; undefined when it does not open. */
export function openRow(dataKey: Buffer, row: SealedRow, kind: string, key: string): string | undefined {
  return open(dataKey, row.box, aboutOf(kind, key))?.toString();
}

function aboutOf(kind: string, key: string): string {
  return JSON.stringify(["styrmann row", kind, key]);
}

/** The object says the number of its row: that of the row counts. */
export function numbered(json: string, revision: number): string {
  const object = JSON.parse(json) as { readonly metadata: { readonly resourceVersion: string } };
  if (object.metadata.resourceVersion === String(revision)) return json;
  return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
}
