/** The form of what a node keeps of the network on its disk: a line that says so, one entry per line, a last line; then more of the same for what changed. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { NetworkEntry, NetworkEntryKind } from "../../model/network.ts";

/** The first line says what follows: of another form than these nothing is taken. The earlier form is one whole, and nothing behind it. */
const HEADER = '{"styrmann":"network","form":2}';
const HEADERS = ['{"styrmann":"network","form":1}', HEADER];
export const LAST_LINE = '{"end":true}';
/** Entries between two turns of the event loop. */
const SLICE = 200;

interface EntryId {
  readonly kind: NetworkEntryKind;
  readonly id: string;
}

export function goneLine({ kind, id }: EntryId): string {
  return JSON.stringify({ gone: { kind, id } });
}

export function* wholeTexts(entries: Iterable<NetworkEntry>): Generator<string> {
  let lines = [HEADER];
  for (const entry of entries) {
    lines.push(JSON.stringify(entry));
    if (lines.length < SLICE) continue;
    yield `${lines.join("\n")}\n`;
    lines = [];
  }
  yield `${[...lines, LAST_LINE].join("\n")}\n`;
}

/** Up to the last batch that is there to its end: a power failure may have torn the one behind it. Throws an Error where not even the first is. */
export async function readCacheFile(path: string): Promise<readonly NetworkEntry[]> {
  const entries = new Map<string, NetworkEntry>();
  let batch: string[] = [];
  let [isFirst, isWhole] = [true, false];
  const lines = createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (isFirst && !HEADERS.includes(line)) throw new Error("it is of another form");
    if (isFirst) isFirst = false;
    else if (line === LAST_LINE) {
      for (const each of batch) take(each, entries);
      [batch, isWhole] = [[], true];
    } else batch.push(line);
  }
  if (!isWhole) throw new Error("its end is missing");
  return [...entries.values()];
}

function take(line: string, entries: Map<string, NetworkEntry>): void {
  const value = JSON.parse(line) as NetworkEntry | { readonly gone: EntryId };
  if ("gone" in value) entries.delete(`${value.gone.kind} ${value.gone.id}`);
  else entries.set(`${value.kind} ${value.id}`, value);
}
