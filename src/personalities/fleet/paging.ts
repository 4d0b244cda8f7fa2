import { ApiError } from "../../model/errors.ts";

const PAGE_SIZE = 100;

/** One page of a list and, when there may be more, the token of the next (specs 3.5: also when the next is empty). */
export function page<T>(
  items: readonly T[],
  token: string | null,
): { readonly items: readonly T[]; readonly nextPageToken?: string } {
  const at = token === null || token === "" ? 1 : parseToken(token);
  const start = (at - 1) * PAGE_SIZE;
  const more = items.length >= at * PAGE_SIZE;
  return { items: items.slice(start, start + PAGE_SIZE), ...(more ? { nextPageToken: formatToken(at + 1) } : {}) };
}

/** base64url of two little-endian uint16: limit and page. */
function formatToken(at: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(PAGE_SIZE, 0);
  bytes.writeUInt16LE(at & 0xffff, 2);
  return bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function parseToken(token: string): number {
  const odd = [...token].findIndex((character) => !/[A-Za-z0-9_=-]/.test(character));
  if (odd >= 0 || token.length % 4 !== 0)
    throw new ApiError("BadRequest", `illegal base64 data at input byte ${odd >= 0 ? odd : token.length}`);
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length < 4) throw new ApiError("BadRequest", "unexpected EOF");
  if (bytes.length > 4) throw new ApiError("BadRequest", "too many values for page token");
  if (bytes.readUInt16LE(0) !== PAGE_SIZE) throw new ApiError("BadRequest", `token limit must be ${PAGE_SIZE}`);
  const at = bytes.readUInt16LE(2);
  if (at === 0) throw new ApiError("BadRequest", "token page must be greater than zero");
  return at;
}
