import type { NetworkEntry } from "../../model/network.ts";
import { digestsText, SHELVES, shelfDigest, shelfOf } from "../../model/network-shelves.ts";

/** Entries, and characters of them, between two turns of the event loop. */
const SLICE = 2_000;
const SLICE_CHARS = 512 * 1024;

/** Digests of everything that a node has, as a server makes them of what it tells (directory/shelf-view.ts). `pause` lets others have their turn. */
export async function heldDigests(entries: Iterable<NetworkEntry>, pause: () => Promise<void>): Promise<string> {
  const shelves: NetworkEntry[][] = Array.from({ length: SHELVES }, () => []);
  let [seen, chars] = [0, 0];
  for (const entry of entries) {
    shelves[shelfOf(entry.kind, entry.id)]?.push(entry);
    if (++seen % SLICE === 0) await pause();
  }
  const digests: Uint8Array[] = [];
  for (const shelf of shelves) {
    const texts = shelf.map((entry) => [`${entry.kind} ${entry.id}`, JSON.stringify(entry)] as const);
    digests.push(shelfDigest(texts));
    chars += texts.reduce((sum, [, text]) => sum + text.length, 0);
    if (chars < SLICE_CHARS) continue;
    chars = 0;
    await pause();
  }
  return digestsText(digests);
}
