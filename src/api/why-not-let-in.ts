import { SET_CLOCK } from "../model/certificate-time.ts";
import type { StyrApiContext } from "./context.ts";

/** Why a node that is not connected is there all the same, as far as this server sees who knocks; undefined when nobody does. */
export function whyNotLetIn(
  name: string,
  address: string | undefined,
  { untaken, isStranger }: Pick<StyrApiContext, "untaken" | "isStranger">,
): string | undefined {
  const refused = untaken?.(name);
  if (refused !== undefined) return `its agent is there, and is not let in: ${refused}`;
  if (address === undefined || !isStranger?.(address)) return undefined;
  return `somebody at its address knocks, and goes as soon as it sees this server's certificate: by its clock that is not good (${SET_CLOCK}, there and here), or it believes another CA; its own styr status says which`;
}
