import { readFileSync } from "node:fs";

/** Of this program, from package.json. */
export function clientVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
