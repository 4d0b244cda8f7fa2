import type { StyrClient } from "../client/styr-client.ts";
import type { BrakeReport } from "../model/reports.ts";
import type { Format } from "./listing.ts";
import { plainText } from "./plain-text.ts";
import { paint, type Terminal } from "./terminal.ts";
import { age } from "./workload-columns.ts";

const MOST_NAMES = 10;

/** What everybody has to know before anything else that is on the screen. Ends with a newline. */
export function brakeBanner(
  { words, since, nodes }: BrakeReport,
  { colors, clock, asTyped }: Pick<Terminal, "colors" | "clock" | "asTyped">,
): string {
  const more = nodes.length > MOST_NAMES ? `, and ${nodes.length - MOST_NAMES} more` : "";
  const names = plainText(nodes.slice(0, MOST_NAMES).join(", "));
  const head = `THE BRAKE HOLDS since ${age(since, clock.now())}: ${plainText(words)}`;
  return [
    paint(head, "red", colors),
    `  held: ${names}${more}`,
    `  it lets go by itself when enough of them are back; if they are really gone: ${asTyped("styr brake release")}`,
    "",
  ].join("\n");
}

/** Above a table; what is read by programs is left alone. */
export async function warnOfBrake(terminal: Terminal, client: StyrClient, output: Format): Promise<void> {
  if (output !== "table" && output !== "wide") return;
  const brake = await client.brake();
  if (brake) terminal.err(brakeBanner(brake, terminal));
}
