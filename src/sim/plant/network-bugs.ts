import type { PlantedBug } from "./planted-bug.ts";

/** In what hosts are told of the network, and what they make of it. */
export const networkBugs: readonly PlantedBug[] = [
  {
    name: "leaves-alone",
    file: "src/network/plane/network-plane.ts",
    find: "return this.#settled >= revision && this.#applied >= revision;",
    replace: "return this.#settled >= 0 && this.#applied >= 0;",
    sentence: "a pod is stopped when its own host knows that it leaves, whatever the others know",
    foundBy: ["network"],
    scenario: "network",
    seeds: 3,
  },
  {
    name: "old-snapshot",
    file: "src/dispatcher/network-feed.ts",
    find: "this.#changed = new Map(changed);",
    replace: "this.#changed = new Map([...changed].slice(0, 0));",
    sentence: "who comes back hears what lay ready, and not what changed since",
    foundBy: ["network"],
    scenario: "network",
    seeds: 3,
  },
  {
    name: "all-the-same",
    file: "src/directory/snapshots.ts",
    find: "if (Buffer.compare(digest, this.#shelves.digest(shelf)) === 0) kept.add(shelf);",
    replace: "if (digest.length > 0) kept.add(shelf);",
    sentence: "who comes back is told that what it has is what there is",
    foundBy: ["network"],
    scenario: "network",
    seeds: 3,
  },
  {
    name: "silence-untold",
    file: "src/directory/silent-nodes.ts",
    find: "if (due.length > 0 && !this.#isMass(due.length, nowMs)) this.#name(due, nowMs);",
    replace: "if (due.length > 1_000) this.#name(due, nowMs);",
    sentence: "nobody is told of a host whose heartbeat is late",
    foundBy: ["network"],
    scenario: "network",
    seeds: 1,
  },
];
