/**
 * Keeps the lists of docs/simulation.md equal to what the code says: invariants, scenarios, planted bugs, regressions.
 * `node scripts/simulation.ts --write` replaces them; simulation.test.ts fails while they differ.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allCheckers } from "../src/sim/checkers/index.ts";
import { plantedBugs } from "../src/sim/plant/planted-bugs.ts";
import { scenarios } from "../src/sim/scenarios/index.ts";
import { regressions } from "../test/sim/regressions.ts";

export const SIMULATION_FILE = join(import.meta.dirname, "../docs/simulation.md");

const SECTIONS: Readonly<Record<string, () => readonly string[]>> = {
  invariants: () =>
    table(
      ["Rule", "In words"],
      allCheckers().map(({ rule, words }) => [`\`${rule}\``, words]),
    ),
  scenarios: () =>
    table(
      ["Scenario", "About"],
      scenarios.map(({ name, about }) => [`\`${name}\``, about]),
    ),
  planted: () =>
    table(
      ["Bug", "What is wrong then", "Found by", "Where, within"],
      plantedBugs.map(({ name, sentence, foundBy, scenario = "swarm", seeds }) => [
        `\`${name}\``,
        sentence,
        foundBy.map((rule) => `\`${rule}\``).join(" or "),
        `${scenario}, ${seeds} ${seeds === 1 ? "seed" : "seeds"}`,
      ]),
    ),
  regressions: () =>
    table(
      ["Seed", "What was broken"],
      regressions.map(({ seed, scenario, sentence }) => [
        scenario === "swarm" ? `${seed}` : `${scenario} ${seed}`,
        sentence,
      ]),
    ),
};

/** The page with every list as it has to be. Throws when a list has no place in it. */
export function simulationPage(page: string): string {
  return Object.entries(SECTIONS).reduce((text, [name, lines]) => {
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/simulation.md has no place for its ${name}`);
    return `${text.slice(0, from + begin.length)}${lines().join("\n")}\n${text.slice(to)}`;
  }, page);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return ["", line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line), ""];
}

if (import.meta.main) {
  const page = simulationPage(readFileSync(SIMULATION_FILE, "utf8"));
  if (process.argv.includes("--write")) writeFileSync(SIMULATION_FILE, page);
  else process.stdout.write(page);
}
