/** A bug ends the process, and what runs goes on running; but never without a word: who looks later finds out why. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { redactText } from "../lib/redact.ts";

/** As pino counts levels. */
const FATAL = 60;

/** Calls back what keeps nobody from ending the process in silence. `logs`: the folder of styr.log. */
export function endInWords(logs: string): () => void {
  const end = (error: unknown, origin: string) => {
    const stack = redactText(error instanceof Error ? (error.stack ?? String(error)) : String(error));
    writeNow(logs, {
      level: FATAL,
      time: new Date().toISOString(),
      origin,
      error: stack,
      msg: "a bug ends this process",
    });
    process.stderr.write(`styr: a bug ended this process (${origin}); what runs goes on running: ${stack}\n`);
    process.exit(1);
  };
  // A rejection that nobody handles comes here too (node --unhandled-rejections=throw, the default).
  process.on("uncaughtException", end);
  // Whoever read what this process says has gone, or the disk is full: no reason for a server to end.
  process.stdout.removeAllListeners("error");
  const ignore = () => {};
  process.stdout.on("error", ignore);
  process.stderr.on("error", ignore);
  return () => {
    process.off("uncaughtException", end);
    process.stdout.off("error", ignore);
    process.stderr.off("error", ignore);
  };
}

/** At once: nothing that is written later would be. */
function writeNow(logs: string, line: Readonly<Record<string, unknown>>): void {
  try {
    mkdirSync(logs, { recursive: true, mode: 0o700 });
    appendFileSync(join(logs, "styr.log"), `${JSON.stringify(line)}\n`, { mode: 0o600 });
  } catch (error) {
    process.stderr.write(`styr: ${logs}/styr.log cannot be written: ${(error as Error).message}\n`);
  }
}
