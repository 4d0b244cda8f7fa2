import type { RowChange } from "../model/reports.ts";

/** Of a feed's changes those that one watcher asked for, each row as `rowOf` makes it. */
export async function* pickedRows<Row, Picked>(
  changes: AsyncIterable<RowChange<Row>>,
  isMeant: (row: Row) => boolean,
  rowOf: (row: Row) => Picked,
): AsyncGenerator<RowChange<Picked>, void, undefined> {
  const told = new Set<string>();
  for await (const change of changes) {
    if (change.type === "synced") yield change;
    else if (change.type === "row" && isMeant(change.row)) {
      told.add(change.id);
      yield { type: "row", id: change.id, row: rowOf(change.row) };
    } else if (told.delete(change.id)) yield { type: "gone", id: change.id };
  }
}
