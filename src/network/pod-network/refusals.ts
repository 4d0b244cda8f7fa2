/** What a host refuses of the ways that were planned: it costs the node that it is of, and no other. Pure. */
import { tunnelAddressOf, tunnelMacOf } from "./names.ts";
import type { Plan } from "./plan.ts";

/** A line that the host did not take, and its own words. */
export interface Refusal {
  readonly line: string;
  readonly words: string;
}

/** In words: the first, and how many more. */
export function refusalWords([first, ...more]: readonly Refusal[]): string {
  return `${first?.line}: ${first?.words}${more.length > 0 ? ` (and ${more.length} more)` : ""}`;
}

/** Without peers that the host itself refused: all lines of a peer name its range, or its end of the tunnel. */
export function withoutRefused(
  plan: Plan,
  refusals: readonly Refusal[],
): Plan & { readonly others: readonly Refusal[] } {
  const owners = new Map(
    plan.peers.flatMap(({ node, podRange }) =>
      [podRange, tunnelAddressOf(podRange), tunnelMacOf(podRange)].map((word) => [word, node]),
    ),
  );
  const ownerOf = ({ line }: Refusal) => line.split(" ").flatMap((word) => owners.get(word) ?? [])[0];
  const refused = new Map(
    refusals.toReversed().map((one) => [ownerOf(one), `this host refuses ${refusalWords([one])}`]),
  );
  return {
    peers: plan.peers.filter(({ node }) => !refused.has(node)),
    wayless: [
      ...plan.wayless,
      ...plan.peers.flatMap(({ node }) => {
        const words = refused.get(node);
        return words === undefined ? [] : { node, words };
      }),
    ],
    others: refusals.filter((one) => ownerOf(one) === undefined),
  };
}
