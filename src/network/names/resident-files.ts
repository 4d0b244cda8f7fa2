/** Where a server of names is found again: one socket and one pid file per version of it, in the plane's folder. */
import { readdirSync } from "node:fs";

export function socketFile(version: string): string {
  return `names-${version}.sock`;
}

export function pidFile(version: string): string {
  return `names-${version}.pid`;
}

/** Versions whose sockets are there; who listens on them is another question. */
export function versionsIn(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => /^names-([0-9a-f]{8})\.sock$/.exec(name)?.[1] ?? []);
}
