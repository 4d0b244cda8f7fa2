import type { EntryId } from "./entry-table.ts";
import { PART_CHARS } from "./snapshots.ts";

/** Entries and what is gone, as a frame's end has them (agent/frames/to-agent.ts); "" where it would be longer than a frame may be. */
export function batchText(changed: ReadonlyMap<string, EntryId>, textOf: (key: string) => string | undefined): string {
  const texts: string[] = [];
  const removed: EntryId[] = [];
  let chars = 0;
  for (const [key, id] of changed) {
    const text = textOf(key);
    if (text === undefined) removed.push(id);
    else texts.push(text);
    chars += text?.length ?? key.length;
    if (chars > PART_CHARS && texts.length + removed.length > 1) return "";
  }
  return removed.length === 0 ? `[${texts.join(",")}]` : `[${texts.join(",")}],${JSON.stringify(removed)}`;
}
