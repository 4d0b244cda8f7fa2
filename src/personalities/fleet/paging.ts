import { ApiError } from "../../model/errors.ts";
import { decodeBase64Url } from "./base64-url.ts";

const PAGE_SIZE = 100;
const TOKEN_BYTES = 4;

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
  const bytes = Buffer.alloc(TOKEN_BYTES);
  bytes.writeUInt16LE(PAGE_SIZE, 0);
  bytes.writeUInt16LE(at & 0xffff, 2);
  return bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function parseToken(token: string): number {
  const decoded = decodeBase64Url(token);
  if ("badAt" in decoded) throw new ApiError("BadRequest", `illegal base64 data at input byte ${decoded.badAt}`);
  const { bytes } = decoded;
  if (bytes.length < TOKEN_BYTES) throw new ApiError("BadRequest", bytes.length === 0 ? "EOF" : "unexpected EOF");
  if (bytes.length > TOKEN_BYTES) throw new ApiError("BadRequest", "too many values for page token");
  if (bytes.readUInt16LE(0) !== PAGE_SIZE) throw new ApiError("BadRequest", `token limit must be ${PAGE_SIZE}`);
  const at = bytes.readUInt16LE(2);
  if (at === 0) throw new ApiError("BadRequest", "token page must be greater than zero");
  return at;
}
