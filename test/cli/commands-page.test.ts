/** docs/commands.md against the commands themselves. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Command } from "commander";
import { commandList } from "../../src/cli/command-list.ts";
import { commandFiles } from "../../src/cli/commands.ts";
import { processTerminal } from "../../src/cli/terminal.ts";

const PAGE = readFileSync(new URL("../../docs/commands.md", import.meta.url), "utf8");

const program = new Command().enablePositionalOptions();
for (const { name } of commandList) {
  // One file may have two commands.
  if (program.commands.some((known) => known.name() === name)) continue;
  (await commandFiles[name]()).register(program, processTerminal([]));
}

describe("docs/commands.md has", () => {
  for (const { name } of commandList) {
    const command = program.commands.find((one) => one.name() === name);

    test(`styr ${name}, and each of its options`, () => {
      assert.ok(command);
      assert.match(PAGE, new RegExp(`styr ${name}\\b`));
      const flags = withSubcommands(command)
        .flatMap(({ options }) => options)
        .filter(({ hidden }) => !hidden)
        .flatMap(({ long, short }) => [long, short]);
      const missing = flags.filter((flag) => flag != null && !hasFlag(flag));
      assert.deepEqual(missing, []);
    });
  }

  test("no option that no command has", () => {
    const options = withSubcommands(program).flatMap((one) => one.options);
    const known = new Set(options.flatMap(({ long }) => long ?? []));
    for (const flag of ["--help", "--server", "--token", "--ca", "--no-color"]) known.add(flag);
    const named = [...PAGE.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag);
    assert.deepEqual(
      named.filter((flag) => !known.has(flag)),
      [],
    );
  });
});

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function hasFlag(flag: string): boolean {
  return new RegExp(`(?<![\\w-])${flag}(?![\\w-])`).test(PAGE);
}
