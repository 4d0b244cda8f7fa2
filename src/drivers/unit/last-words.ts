import { open, stat } from "node:fs/promises";
import { logFile } from "../keeper/log-rotation.ts";

const READ_BYTES = 2048;
const LINES = 3;
const CHARACTERS = 400;

/** How long stderr is now: what a process says comes after it. */
export async function stderrSize(logDir: string): Promise<number> {
  return (await sizeOf(logFile(logDir, "stderr"))) ?? 0;
}

/** The last lines on stderr since `mark`, on one line; "" when it said nothing. */
export async function lastWords(logDir: string, mark: number): Promise<string> {
  const file = logFile(logDir, "stderr");
  const size = await sizeOf(file);
  if (size === undefined) return "";
  // Shorter than it was: rotated, and all of it is new.
  const begin = Math.max(size < mark ? 0 : mark, size - READ_BYTES);
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(1, size - begin)), 0, size - begin, begin);
    return summarize(buffer.toString("utf8", 0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** Docker ends every error with an advice on where to find help, which would hide the error. */
function summarize(text: string): string {
  const lines = text
    .split("\n")
    .map((line) => line.replace(/[\p{Cc}\s]+/gu, " ").trim())
    .filter((line) => line !== "" && !/^(See|Run) 'docker .*(--help|for more information)/.test(line));
  const words = lines.slice(-LINES).join("; ");
  return words.length > CHARACTERS ? `…${words.slice(-CHARACTERS)}` : words;
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
