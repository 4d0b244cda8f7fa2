import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseSimOptions, SIM_HELP } from "./main-options.ts";
import { plantedBugs } from "./plant/planted-bugs.ts";
import { huntCommand } from "./plant/where-noticed.ts";
import { parseSwarmOptions, SWARM_HELP } from "./swarm/options.ts";

describe("options of the simulator", () => {
  const bad: readonly (readonly [string, string])[] = [
    ["--seed -3", '--seed takes a whole number, not "-3"'],
    ["--seed=-3", '--seed takes a whole number, not "-3"'],
    ["--seed 1e3", '--seed takes a whole number, not "1e3"'],
    ["--seed 99999999999999999999", '--seed takes a whole number, not "99999999999999999999"'],
    ["--seed", "--seed needs a value: --seed N"],
    ["--seed --timeline", "--seed needs a value: --seed N"],
    ["--sede 3", "there is no option --sede"],
    ["blip", '"blip" is not an option'],
    ["--timeline=yes", "--timeline takes no value"],
    ["--nodes 5", "--nodes is for --scenario cell only; all else draws its cluster from --seed"],
    ["--scenario blip --pods 5", "--pods is for --scenario cell only; all else draws its cluster from --seed"],
    ["--moves-per-second 5", "--moves-per-second is for --scenario cell only; all else draws its cluster from --seed"],
    ["--scenario cell --nodes 0", '--nodes takes a whole number above 0, not "0"'],
    ["--scenario cell --plant no-fence", "the cell has no --plant; all other scenarios have"],
  ];
  for (const [line, message] of bad) {
    test(`\`${line}\` is refused in one sentence`, () => {
      assert.throws(() => parseSimOptions(line.split(" ")), { message });
    });
  }

  test("what is given is taken, and the rest has its defaults", () => {
    const plain = { seed: 1, scenario: "swarm", timeline: false, plant: undefined };
    const cell = { nodes: 1000, pods: 50_000, movesPerSecond: undefined };
    assert.deepEqual(parseSimOptions([]), { ...plain, ...cell });
    assert.deepEqual(parseSimOptions(["--seed=7", "--timeline", "--plant", "no-fence"]), {
      ...{ ...plain, ...cell },
      ...{ seed: 7, timeline: true, plant: "no-fence" },
    });
    assert.deepEqual(parseSimOptions("--scenario cell --nodes 9 --pods 8 --moves-per-second 7".split(" ")), {
      ...{ ...plain, scenario: "cell" },
      ...{ nodes: 9, pods: 8, movesPerSecond: 7 },
    });
    assert.equal(parseSimOptions(["--list"]), "list");
  });

  test("those of the swarm are refused in the same words", () => {
    const refused = (line: string, message: string) =>
      assert.throws(() => parseSwarmOptions(line.split(" ")), { message });
    refused("--from -3", '--from takes a whole number above 0, not "-3"');
    refused("--seeds 0", '--seeds takes a whole number above 0, not "0"');
    refused("--minutes x", '--minutes takes a number above 0, not "x"');
    refused("--seed 1", "there is no option --seed");
    const { seeds } = parseSwarmOptions(["--minutes", "2"]) as { seeds: number | undefined };
    assert.equal(seeds, undefined);
  });

  test("help has a line for every option", () => {
    for (const flag of ["--help", "-h"]) {
      assert.equal(parseSimOptions([flag]), "help");
      assert.equal(parseSwarmOptions([flag]), "help");
    }
    for (const name of ["--seed N", "--scenario NAME", "--timeline", "--plant BUG", "--nodes N", "--pods N", "--list"])
      assert.equal(SIM_HELP.filter((line) => line.startsWith(`  ${name} `)).length, 1, name);
    for (const name of ["--seeds N", "--minutes M", "--from S", "--scenario NAME", "--plant BUG", "--workers N"])
      assert.equal(SWARM_HELP.filter((line) => line.startsWith(`  ${name} `)).length, 1, name);
  });

  test("where a planted bug is looked for is a command that can be read", () => {
    for (const bug of plantedBugs) {
      const [command = "", line = ""] = huntCommand(bug).split(" -- ");
      const isSwarm = command === "npm run sim:swarm";
      const options = isSwarm ? parseSwarmOptions(line.split(" ")) : parseSimOptions(line.split(" "));
      assert.ok(typeof options === "object");
      const first = "from" in options ? options.from : options.seed;
      const many = "seeds" in options ? options.seeds : 1;
      assert.deepEqual([options.plant, first, many], [bug.name, bug.from ?? 1, bug.seeds]);
      assert.equal(options.scenario, bug.scenario ?? "swarm");
    }
  });
});

/** A command as a person starts it. */
function run(file: "main.ts" | "swarm/main.ts", line: string) {
  const argv = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, file), ...line.split(" ")];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8", timeout: 120_000 });
  return { status, stdout, stderr };
}

describe("the simulator's commands", () => {
  const unknown: readonly (readonly ["main.ts" | "swarm/main.ts", string, RegExp])[] = [
    ["main.ts", "--plant nosuch", /^there is no planted bug "nosuch"; see them with: npm run sim -- --list$/],
    ["swarm/main.ts", "--plant nosuch", /^there is no planted bug "nosuch"; see them with: npm run sim -- --list$/],
    ["main.ts", "--scenario nosuch", /^there is no scenario "nosuch"; see them with: npm run sim -- --list$/],
    ["swarm/main.ts", "--scenario nosuch", /^there is no scenario "nosuch"; see them with: npm run sim -- --list$/],
    ["swarm/main.ts", "--scenario hour", /^"hour" is one measurement, not many seeds: npm run sim -- --scenario hour$/],
  ];
  for (const [file, line, words] of unknown) {
    test(`${file} ${line} is one sentence, and nothing starts`, () => {
      const { status, stdout, stderr } = run(file, line);
      assert.deepEqual([status, stdout], [2, ""], stderr);
      const [first = "", ...more] = stderr.trimEnd().split("\n");
      assert.match(first, words);
      assert.ok(more.length <= 1 && more.every((one) => one.startsWith("all options: ")), stderr);
    });
  }

  test("a planted bug that nobody noticed is said, with where it would be, and is no success", () => {
    const line = "--scenario blip --plant no-fence";
    const words =
      'planted bug "no-fence" was not noticed here; it is looked for with: npm run sim:swarm -- --seeds 3 --scenario exclusive-partition --plant no-fence';
    const one = run("main.ts", line);
    assert.equal(one.status, 3, one.stderr);
    assert.equal(one.stdout.trimEnd().split("\n").at(-1), words);
    const many = run("swarm/main.ts", `${line} --seeds 1 --workers 1`);
    assert.equal(many.status, 3, many.stderr);
    assert.equal(many.stdout.trimEnd().split("\n").at(-1), words);
  });

  test("a planted bug that was noticed is a failure as ever", () => {
    const { status, stdout } = run("main.ts", "--scenario exclusive-partition --plant no-fence");
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^FAILED seed 1/m);
    assert.doesNotMatch(stdout, /was not noticed/);
  });

  test("the list names every planted bug, what is wrong then, and where it is looked for", () => {
    const { status, stdout } = run("main.ts", "--list");
    assert.equal(status, 0);
    const lines = stdout.split("\n");
    for (const bug of plantedBugs) {
      const at = lines.findIndex((line) => line.startsWith(`${bug.name} `) && line.endsWith(bug.sentence));
      assert.ok(at > 0, bug.name);
      assert.equal(lines[at + 1]?.trim(), huntCommand(bug));
    }
    assert.ok(lines.some((line) => line.startsWith("exclusive-partition ")));
  });

  test("help ends well", () => {
    assert.equal(run("main.ts", "--help").status, 0);
    assert.equal(run("swarm/main.ts", "--help").status, 0);
  });
});
