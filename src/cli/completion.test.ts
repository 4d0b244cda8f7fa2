import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { Command } from "commander";
import { commandList } from "./command-list.ts";
import { commandFiles } from "./commands.ts";
import { completionScript } from "./completion.ts";
import { completionWords } from "./completion-words.ts";
import { processTerminal } from "./terminal.ts";

const program = new Command().enablePositionalOptions();
for (const { name } of commandList) {
  if (program.commands.some((known) => known.name() === name)) continue;
  (await commandFiles[name]()).register(program, processTerminal([]));
}
const words = completionWords(program);
const script = completionScript("bash", words);

/** What bash offers for the last of these words. */
function offered(...typed: readonly string[]): readonly string[] {
  const ask = `COMP_WORDS=(styr "$@"); COMP_CWORD=$#; _styr; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync("bash", ["-c", `${script}\n${ask}`, "bash", ...typed], { encoding: "utf8" });
  return text.split("\n").filter((line) => line !== "");
}

describe("completion offers", () => {
  test("what follows a command's first word", () => {
    assert.deepEqual(offered("token", ""), ["create", "list", "revoke"]);
    assert.deepEqual(offered("user", "token", "c"), ["create"]);
    assert.deepEqual(offered("--server", "unix:///s", "brake", "r"), ["release"]);
    assert.ok(offered("restore", "").includes("confirm"), "beside files");
  });

  test("options, those of this command alone", () => {
    assert.deepEqual(offered("token", "create", "--u"), ["--uses"]);
    assert.deepEqual(offered("ps", "--u"), []);
    assert.deepEqual(offered("up", "--server"), [], "it takes none");
    assert.deepEqual(offered("ps", "--server"), ["--server"]);
  });

  for (const shell of ["zsh", "fish"] as const)
    test(`the same in ${shell}`, () => {
      const text = completionScript(shell, words);
      assert.match(text, /create list revoke/);
      assert.match(
        text,
        shell === "zsh"
          ? /"token create"\) names=".*--uses/
          : /from token; and __fish_seen_subcommand_from create' -l uses/,
      );
    });
});
