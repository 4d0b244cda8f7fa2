import type { PlantedBug } from "./planted-bug.ts";

/** The command that looks for it where the list says that it is found. */
export function huntCommand({ name, scenario, from = 1, seeds }: PlantedBug): string {
  const where = scenario === undefined ? "" : ` --scenario ${scenario}`;
  if (seeds === 1) return `npm run sim --${from === 1 ? "" : ` --seed ${from}`}${where} --plant ${name}`;
  return `npm run sim:swarm -- --seeds ${seeds}${from === 1 ? "" : ` --from ${from}`}${where} --plant ${name}`;
}

/** For who planted it and saw nothing break. */
export function unnoticedWords(bug: PlantedBug): string {
  return `planted bug "${bug.name}" was not noticed here; it is looked for with: ${huntCommand(bug)}`;
}

/** Of all that can be planted, for `--list`. */
export function plantedLines(bugs: readonly PlantedBug[]): readonly string[] {
  return bugs.flatMap((bug) => [`${bug.name.padEnd(34)} ${bug.sentence}`, `${" ".repeat(34)} ${huntCommand(bug)}`]);
}
