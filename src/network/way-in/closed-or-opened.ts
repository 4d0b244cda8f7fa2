import type { HaProxy } from "./haproxy.ts";
import { type BackendStats, parseServers } from "./stats.ts";
import type { Targets } from "./targets.ts";
import type { Unreached } from "./unreached.ts";

/** Services some copies of which take no connections from here any more, or take them again. */
export async function closedOrOpened(
  unreached: Unreached,
  targets: Targets,
  haproxy: Pick<HaProxy, "tell">,
  traffic: readonly BackendStats[],
): Promise<readonly string[]> {
  unreached.keep(targets);
  // Where nothing fails, servers are not asked for: there may be thousands.
  const failing = unreached.failing(traffic);
  const text = failing.length === 0 ? "" : await haproxy.tell(failing.map((name) => `show stat ${name} 4 -1`));
  const servers = Map.groupBy(parseServers(text), ({ backend }) => backend);
  for (const [name, each] of servers) unreached.hear(name, each);
  return targets.servicesAt(await unreached.tryAgain());
}
