import { basename, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { ProcessSettings } from "../../model/pod.ts";

export type FetchItem = NonNullable<ProcessSettings["fetch"]>[number];

export interface PlannedFetch {
  readonly uri: string;
  readonly from: { readonly kind: "http"; readonly url: string } | { readonly kind: "file"; readonly path: string };
  /** Relative to the sandbox. */
  readonly destination: string;
  readonly extract?: "tar" | "zip";
  readonly executable: boolean;
}

const TAR = /\.(tar|tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz|tzst|tar\.zst)$/i;

/** What to get from where to where; a string says why it cannot be. Archives are told by their names, as Mesos does. */
export function planFetch(item: FetchItem): PlannedFetch | string {
  const from = sourceOf(item.uri);
  if (typeof from === "string") return from;
  const name = from.kind === "http" ? lastSegment(from.url) : basename(from.path);
  const destination = normalize(item.destPath ?? name);
  if (destination === "." || destination === "" || name === "..") return `${item.uri}: its path names no file`;
  if (destination.startsWith("..") || destination.startsWith("/") || destination.includes("\0")) {
    return `${item.uri}: "${item.destPath ?? name}" leads out of the sandbox`;
  }
  const kind = TAR.test(name) ? "tar" : /\.zip$/i.test(name) ? "zip" : undefined;
  const isArchive = kind !== undefined && item.extract !== false && !item.executable;
  return {
    uri: item.uri,
    from,
    destination,
    executable: item.executable ?? false,
    ...(isArchive ? { extract: kind } : {}),
  };
}

function sourceOf(uri: string): PlannedFetch["from"] | string {
  if (uri.startsWith("/")) return { kind: "file", path: uri };
  const url = URL.parse(uri);
  if (!url) return `"${uri}" is neither a URI nor an absolute path`;
  if (url.protocol === "http:" || url.protocol === "https:") return { kind: "http", url: url.href };
  if (url.protocol !== "file:") return `${uri}: http, https and file URIs can be fetched, ${url.protocol}// cannot`;
  if (url.host !== "" && url.host !== "localhost") return `${uri}: a file URI names a file of this host`;
  return { kind: "file", path: fileURLToPath(`file://${url.pathname}`) };
}

function lastSegment(url: string): string {
  const name = new URL(url).pathname.split("/").findLast((part) => part !== "") ?? "";
  // A "%2F" would be a way out of the sandbox.
  return join("/", safeDecode(name)).slice(1).replaceAll("/", "_");
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
