import { hashOf } from "../names.ts";

/** Names of chains have at most 28 characters: the network's name, or as much of it as leaves room, told apart by a hash. */
export function shortName(networkName: string): string {
  const name = networkName.replaceAll(/[^A-Za-z0-9_]/g, "_");
  return name.length <= 13 ? name : `${name.slice(0, 8)}_${hashOf(networkName).slice(0, 4)}`;
}
