import { createHash } from "node:crypto";

/** A whole number below 2^32, the same for the same text in every version. */
export function hashOf(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE(0);
}
