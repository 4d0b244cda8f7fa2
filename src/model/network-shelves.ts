/**
 * Entries of the network lie on shelves, by their kind and id alone: server and agent put each on the same one. What of each shelf a digest
 * is kept, so that an agent that comes back (to another server, or after its own restart) can say in a few bytes what it has, and is sent
 * only the shelves that are others.
 */
import { hash } from "node:crypto";
import type { NetworkEntryKind } from "./network.ts";

export const SHELVES = 512;
/** Nobody makes two contents with one digest on purpose: 2^48 attempts, for one shelf among others' entries. */
const DIGEST_BYTES = 12;
/** FNV-1a, 32 bits. */
const [BASIS, PRIME] = [0x811c9dc5, 0x01000193];

export function shelfOf(kind: NetworkEntryKind, id: string): number {
  let sum = BASIS;
  const take = (text: string) => {
    for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), PRIME);
  };
  take(kind);
  take(id);
  return ((sum >>> 16) ^ sum) & (SHELVES - 1);
}

/** Key (`kind id`) and JSON of each. */
export function shelfDigest(entries: readonly (readonly [key: string, text: string])[]): Uint8Array {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  // JSON has no line breaks of its own.
  return hash("sha256", sorted.map(([, text]) => text).join("\n"), "buffer").subarray(0, DIGEST_BYTES);
}

/** Of all shelves, in their order. */
export function digestsText(digests: readonly Uint8Array[]): string {
  return Buffer.concat(digests).toString("base64");
}

/** Undefined for what is none: another version's, with other shelves. */
export function digestsOf(text: string): readonly Uint8Array[] | undefined {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== SHELVES * DIGEST_BYTES) return undefined;
  return Array.from({ length: SHELVES }, (_, at) => bytes.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES));
}

/** Which shelves: a bit for each. */
export function shelvesText(shelves: ReadonlySet<number>): string {
  const bits = Buffer.alloc(SHELVES / 8);
  for (const shelf of shelves) bits[shelf >> 3] = (bits[shelf >> 3] ?? 0) | (1 << (shelf & 7));
  return bits.toString("base64");
}

export function shelvesOf(text: string): ReadonlySet<number> | undefined {
  const bits = Buffer.from(text, "base64");
  if (bits.length !== SHELVES / 8) return undefined;
  const all = Array.from({ length: SHELVES }, (_, shelf) => shelf);
  return new Set(all.filter((shelf) => ((bits[shelf >> 3] ?? 0) >> (shelf & 7)) & 1));
}
