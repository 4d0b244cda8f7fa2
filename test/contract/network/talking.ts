/** talk.ts, as tests use it. */
import { join } from "node:path";
import type { NetPlace } from "../../harness/net-space.ts";

/** The words that start it. */
export function talk(...words: readonly string[]): readonly string[] {
  return [process.execPath, join(import.meta.dirname, "talk.ts"), ...words];
}

/** Those of the targets that answered. */
export function asks(from: NetPlace, targets: readonly string[]): readonly string[] {
  const [program = "", ...args] = talk("ask", ...targets);
  return from.run(program, args).output.trim().split(" ").filter(Boolean);
}

export async function until(isSo: () => boolean, what: string, withinMs = 5_000): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!isSo()) {
    if (Date.now() > endMs) throw new Error(`waited ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
