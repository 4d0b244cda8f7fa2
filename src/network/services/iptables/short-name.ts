import { hashOf } from "../names.ts";

const MOST_CHARS = 11;

/**
 * What names of our chains begin with: `svc-` and the network's name. A chain's name has at most 28 characters, so of a long name as
 * much as leaves room for the rest, told apart by a hash.
 */
export function shortName(networkName: string): string {
  const name = networkName.replaceAll(/[^A-Za-z0-9_]/g, "_");
  const short =
    name.length <= MOST_CHARS ? name : `${name.slice(0, MOST_CHARS - 5)}_${hashOf(networkName).slice(0, 4)}`;
  return `svc-${short}`;
}
