import type { PlantedBug } from "./planted-bug.ts";

const FOLDER = "src/controllers/node-lifecycle";

/** In what a control plane that starts anew, or stands still, has to know all the same. */
export const forgetfulBugs: readonly PlantedBug[] = [
  {
    name: "terms-forgotten",
    file: `${FOLDER}/terms-in-force.ts`,
    find: "if (this.#termsMs > this.#settings.exclusiveAfterMs) this.#floorMs = nowMs + this.#termsMs;",
    replace: "",
    sentence: "a control plane that starts does not know that agents may still go by longer terms for exclusive pods",
    foundBy: ["terms-lowered", "exclusive-once"],
    scenario: "terms-lowered",
    seeds: 3,
  },
  {
    name: "stall-renews-the-dead",
    file: `${FOLDER}/leases.ts`,
    find: "nowMs + restOfGrace(lease, waitMs, SETTLE_MS)",
    replace: "nowMs + waitMs",
    sentence: "who was silent before the control plane stood still is waited for anew after every time that it does",
    foundBy: ["stalls-and-death"],
    scenario: "stalls-and-death",
    seeds: 3,
  },
  {
    name: "unheard-forgotten",
    file: `${FOLDER}/recall.ts`,
    find: "lease.unheardMs = unheardMs(node);",
    replace: "",
    sentence: "a control plane that starts does not know who was not heard by the ones before",
    foundBy: ["starts-and-death"],
    scenario: "starts-and-death",
    seeds: 3,
  },
  {
    name: "forgotten-is-back",
    file: `${FOLDER}/brake.ts`,
    find: "if (silent.has(node)) released.add(node);",
    replace: "if (silent.delete(node)) released.delete(node);",
    sentence: "a held node that a person takes out of the cluster counts as one that is back",
    foundBy: ["brake-forget"],
    scenario: "brake-forget",
    seeds: 3,
  },
  {
    name: "release-forgotten",
    file: `${FOLDER}/recall.ts`,
    find: "lease.released = isReleased(node);",
    replace: "",
    sentence: "a control plane that starts does not know whom a person has given up",
    foundBy: ["release-kept"],
    scenario: "release-kept",
    seeds: 3,
  },
];
