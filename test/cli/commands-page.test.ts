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

const GLOBAL = ["--help", "--server", "--token", "--ca", "--no-color"];
const BLOCKS = blocksOf(PAGE);

describe("docs/commands.md has", () => {
  for (const { name } of commandList) {
    const command = commandOf(name);

    test(`styr ${name}, and each of its options where it is about ${name}`, () => {
      const about = BLOCKS.filter(({ text }) => isAbout(text, name)).map(({ text }) => text);
      assert.notEqual(about.length, 0);
      const missing = flagsOf(command).filter((flag) => !about.some((text) => hasFlag(text, flag)));
      assert.deepEqual(missing, []);
    });
  }

  test("no option where it is about a command that has no such option", () => {
    const strange = BLOCKS.flatMap(({ owner, text }) => {
      if (owner === undefined) return [];
      const known = new Set([...GLOBAL, ...flagsOf(commandOf(owner))]);
      // `styr ca revoke` in a cell about something else brings its own.
      for (const [, other = ""] of text.matchAll(/`styr ([a-z-]+)/g))
        if (program.commands.some((one) => one.name() === other) && !text.startsWith("| `--"))
          for (const flag of flagsOf(commandOf(other))) known.add(flag);
      return flagsIn(text).flatMap((flag) => (known.has(flag) ? [] : `${owner}: ${flag}`));
    });
    assert.deepEqual(strange, []);
  });
});

function commandOf(name: string): Command {
  const command = program.commands.find((one) => one.name() === name);
  assert.ok(command, name);
  return command;
}

function flagsOf(command: Command): readonly string[] {
  return withSubcommands(command)
    .flatMap(({ options }) => options)
    .filter(({ hidden }) => !hidden)
    .flatMap(({ long, short }) => [long, short].filter((flag) => flag != null));
}

interface Block {
  /** The command that it begins with, or that the table is about. */
  readonly owner?: string;
  readonly text: string;
}

/** Paragraphs, and rows of tables. A row of a table of options has its first cell alone: what stands beside it is about all kinds of things. */
function blocksOf(page: string): readonly Block[] {
  return page.split(/\n\n+/).flatMap((block): readonly Block[] => {
    const table = /^\| `styr ([a-z-]+)` \|/.exec(block)?.[1];
    if (!block.startsWith("|")) return [owned(block)];
    const rows = block.split("\n");
    if (table === undefined) return rows.map(owned);
    return [{ text: block }, ...rows.slice(2).map((row) => ({ owner: table, text: row.split(/(?<!\\) \|/)[0] ?? "" }))];
  });
}

function owned(text: string): Block {
  const owner = /^(?:\| )?`styr ([a-z-]+)/.exec(text)?.[1];
  return owner === undefined ? { text } : { owner, text };
}

/** By its whole name, or, of several, as a word of its own: `scale`, `token list`. */
function isAbout(text: string, name: string): boolean {
  return new RegExp(`\`styr ${name}(?![\\w-])|(?<![\\w-])styr ${name}(?![\\w-])|\`${name}[\` ]`).test(text);
}

function flagsIn(text: string): readonly string[] {
  // What follows a bare `--` is another command's.
  const own = text.replaceAll(/ -- [^`]*`/g, "`");
  return [...own.matchAll(/(?<![\w-])--[a-z][a-z-]+(?![\w…-])/g)].map(([flag]) => flag);
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function hasFlag(text: string, flag: string): boolean {
  const isWhole = new RegExp(`(?<![\\w-])${flag}(?![\\w-])`).test(text);
  return isWhole || (flag.startsWith("--store") && text.includes("`--store…`"));
}
