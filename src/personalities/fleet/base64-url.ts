/**
 * Go's base64.URLEncoding, which says at which byte a text stops being base64; Node's decoder takes anything.
 * Returns the bytes, or the position that Go would name. Source: encoding/base64 decodeQuantum.
 */
export function decodeBase64Url(text: string): { readonly bytes: Buffer } | { readonly badAt: number } {
  // Go skips line ends wherever they stand, and counts them.
  const kept = [...text].flatMap((character, at) => (/[\r\n]/.test(character) ? [] : [{ character, at }]));
  const end = text.length;
  for (const [index, { character, at }] of kept.entries()) {
    if (/[A-Za-z0-9_-]/.test(character)) continue;
    const place = index % 4;
    if (character !== "=" || place < 2) return { badAt: at };
    const second = kept[index + 1];
    if (place === 2 && !second) return { badAt: end };
    if (place === 2 && second?.character !== "=") return { badAt: second?.at ?? end };
    const after = kept[index + (place === 2 ? 2 : 1)];
    if (after) return { badAt: after.at };
    return { bytes: Buffer.from(text, "base64url") };
  }
  const left = kept.length % 4;
  return left === 0 ? { bytes: Buffer.from(text, "base64url") } : { badAt: end - left };
}
