import type { PlantedBug } from "./planted-bug.ts";

/** Rules that count only in the second act: while the brake holds already, when a node is deleted, before a run begins. */
export const holdBugs: readonly PlantedBug[] = [
  {
    name: "hold-takes-nobody-in",
    file: "src/controllers/node-lifecycle/brake.ts",
    find: "present?.silent.add(node);",
    replace: "",
    sentence: "nodes that fall silent while the brake holds are moved all the same",
    foundBy: ["brake-holds", "brake-joins"],
    scenario: "brake-joins",
    seeds: 3,
  },
  {
    name: "deleted-node-forgotten-early",
    file: "src/controllers/node-lifecycle/missing-nodes.ts",
    find: "return Math.max(QUARANTINE_MS, exclusiveAfterMs);",
    replace: "return QUARANTINE_MS;",
    sentence:
      "exclusive pods of a Node object that was deleted are forgotten after 40 s, whatever terms their agent has",
    foundBy: ["exclusive-once", "exclusive-node-deleted"],
    scenario: "exclusive-node-deleted",
    seeds: 3,
  },
  {
    name: "started-unguarded",
    file: "src/agent/guard.ts",
    find: "if (this.#untilMs() !== undefined) await this.#soon(driver);",
    replace: "void driver;",
    sentence: "an exclusive run begins before anything watches over it",
    foundBy: ["exclusive-agent-crash", "exclusive-once", "guard-is-last"],
    scenario: "exclusive-agent-crash",
    seeds: 3,
  },
];
