import type { PlantedBug } from "./planted-bug.ts";

/** Ways to a second copy of what may run once only. */
export const exclusiveBugs: readonly PlantedBug[] = [
  {
    name: "recreated-controller-forgets",
    file: "src/controllers/replication-controller.ts",
    find: "if (holder) return waitFor(tx, rc, holder);",
    replace: "if (holder && rc.spec.replicas < 0) return waitFor(tx, rc, holder);",
    sentence: "a ReplicationController that is applied again does not know the exclusive pod of the one before",
    foundBy: ["exclusive-once", "exclusive-recreate"],
    scenario: "exclusive-recreate",
    seeds: 1,
  },
  {
    name: "recreated-unit-forgets",
    file: "src/personalities/fleet/copies.ts",
    find: "return slots.flatMap((name) => reader.get(pods, `${FLEET_NAMESPACE}/${name}`) ?? []);",
    replace: "return slots.flatMap((name) => (reader.get(units, unitName) ? [] : (reader.get(pods, name) ?? [])));",
    sentence: "a unit that is submitted again does not know the copy of the one before",
    foundBy: ["exclusive-once", "exclusive-recreate"],
    scenario: "exclusive-recreate",
    seeds: 1,
  },
  {
    name: "recreated-app-forgets",
    file: "src/personalities/marathon/upgrade.ts",
    find: "if (isExclusive(app)) return instances.filter((one) => one.holdsItsPlace && !isActive(one)).length;",
    replace: "if (isExclusive(app)) return 0;",
    sentence: "an exclusive app that is posted again does not wait for what was killed where nobody can be told",
    foundBy: ["exclusive-once", "exclusive-recreate"],
    scenario: "exclusive-recreate",
    seeds: 1,
  },
  {
    name: "exclusive-by-definition",
    file: "src/personalities/marathon/upgrade.ts",
    find: "return instance.isExclusive && instance.holdsItsPlace;",
    replace: "return instance.isExclusive && instance.stagedAtMs < 0;",
    sentence: "an app's copies are judged by what the app is now, not by what they were made as",
    foundBy: ["exclusive-once", "exclusive-no-more"],
    scenario: "exclusive-no-more",
    seeds: 1,
  },
];
