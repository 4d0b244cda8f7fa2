import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command, CommanderError } from "commander";
import { readWords, register } from "./exec.ts";
import { processTerminal } from "./terminal.ts";

interface Read {
  readonly name: string;
  readonly line: readonly string[];
  readonly container?: string;
  readonly tty?: boolean;
  readonly stdin?: boolean;
}

/** The words as the command's action gets them from commander. */
function read(...argv: readonly string[]): Read {
  const program = new Command("styr")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr() {} });
  register(program, processTerminal([]));
  let found: Read | undefined;
  program.commands[0]?.action((name: string, words: string[], _: unknown, command: Command) => {
    const { options, line } = readWords(command, words);
    const { container, tty, stdin } = options;
    found = {
      ...{ name, line },
      ...(container === undefined ? {} : { container }),
      ...(tty === undefined ? {} : { tty }),
      ...(stdin === false ? { stdin } : {}),
    };
  });
  program.parse(["exec", ...argv], { from: "user" });
  assert(found);
  return found;
}

describe("the words of exec:", () => {
  const table: readonly (readonly [string, Read])[] = [
    ["web -- ls -l", { name: "web", line: ["ls", "-l"] }],
    ["web -c side -- ls", { name: "web", line: ["ls"], container: "side" }],
    ["web --container=side -- ls", { name: "web", line: ["ls"], container: "side" }],
    ["-c side web -- ls", { name: "web", line: ["ls"], container: "side" }],
    ["-c side web -t --no-stdin -- ls", { name: "web", line: ["ls"], container: "side", tty: true, stdin: false }],
    ["--no-stdin web -c side -- ls", { name: "web", line: ["ls"], container: "side", stdin: false }],
    ["web --no-tty -- sh -c x -- -c y", { name: "web", line: ["sh", "-c", "x", "--", "-c", "y"], tty: false }],
    ["web sh -c x", { name: "web", line: ["sh", "-c", "x"] }],
    ["web sh -c x -- y", { name: "web", line: ["sh", "-c", "x", "--", "y"] }],
    ["web -- -c side", { name: "web", line: ["-c", "side"] }],
    ["web -- -- ls", { name: "web", line: ["--", "ls"] }],
  ];
  for (const [argv, is] of table) test(argv, () => assert.deepEqual(read(...argv.split(" ")), is));

  test("what is no option, and a command that is not there, are refused", () => {
    for (const argv of [
      ["web", "-x", "--", "ls"],
      ["web", "-t", "y", "--", "ls"],
      ["web", "-t", "--"],
      ["web", "-c", "--", "ls"],
    ]) {
      assert.throws(() => read(...argv), CommanderError, argv.join(" "));
    }
  });
});
