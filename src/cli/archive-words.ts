import { CliFailure } from "./failure.ts";
import { plainText } from "./plain-text.ts";

const UNITS = ["bytes", "KiB", "MiB", "GiB"] as const;

/** `3.4 MiB`. */
export function amountOf(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`;
}

interface Made {
  readonly rows: number;
  readonly revision: number;
  readonly time: string;
  readonly version: string;
}

export function wholeOf({ rows, revision, time, version }: Made, bytes: number): string {
  const text = `${rows} objects at revision ${revision}, ${amountOf(bytes)}, made ${time} by styr ${version}`;
  return plainText(text);
}

/** Hosts believe the CA of their cluster, and come back to no other. */
export function caWords({ ca }: { readonly ca?: { readonly hash: string; readonly madeAt: string } }): string {
  if (!ca) return "";
  const text = `CA ${ca.hash.slice(0, 16)}, made ${ca.madeAt}: after a change of the CA since, hosts would have to join again (styr ca show)`;
  return `  ${plainText(text)}\n`;
}

/** What is wrong with a file, a key or a store is nobody's bug. */
export async function inArchiveWords(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { name, message } = error as Error;
    throw ["ArchiveError", "JournalRefusal", "CopyRefusal"].includes(name) ? new CliFailure(message) : error;
  }
}
