import type { RouteEntry } from "../network.ts";

/**
 * What a path means, however it is spelled: decoded, slashes together, and encoded again but for the letters that never need it
 * (RFC 3986, 2.3) and slashes. HAProxy makes the same of a request's (network/way-in/render-paths.ts).
 */
export function pathKey(path: string): string {
  const bytes = path.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return bytes.replaceAll(/\/\/+/g, "/").replaceAll(/[^A-Za-z0-9._~/-]/g, encodeByte);
}

type Place = Pick<RouteEntry, "host" | "path" | "pathType" | "matchesLetters">;

/** What a route is found by: its host and path; of a prefix with a slash at the end, as it matches by whole parts. */
export function routeKey({ host, path, pathType, matchesLetters }: Place): string {
  const key = pathKey(path);
  return pathType === "exact" || matchesLetters ? host + key : `${host}${key.replace(/\/$/, "")}/`;
}

function encodeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
