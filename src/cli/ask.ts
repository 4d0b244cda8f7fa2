import { createInterface } from "node:readline/promises";
import type { Terminal } from "./terminal.ts";

/** True for a plain yes at a terminal; where nobody can be asked it is no. */
export async function ask(terminal: Terminal, question: string): Promise<boolean> {
  if (terminal.stdin.isTTY !== true || !terminal.isErrorTerminal) return false;
  const lines = createInterface({ input: terminal.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
