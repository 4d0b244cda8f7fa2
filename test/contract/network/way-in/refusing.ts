/** An HAProxy that does not take every configuration. */
import { readFile } from "node:fs/promises";
import { type Commands, SystemCommands } from "../../../../src/seams/commands.ts";

/** As a version of HAProxy would that does not know a word of ours: the line with `text`, of which it names `keyword`. */
export function unknownKeyword(text: string, keyword: string): Commands {
  return inPlaceOf(async (args) => {
    const lines = (await readFile(args.at(-1) ?? "", "utf8")).split("\n");
    const at = lines.findIndex((line) => line.includes(text));
    return at < 0 ? undefined : `parsing [${args.at(-1)}:${at + 1}] : unknown keyword '${keyword}'`;
  }, "config : ");
}

/** A full disk, a HAProxy that is being upgraded, an alert that names nobody. */
export function noSpace(): Commands {
  return inPlaceOf(async (args) => (args.includes("-c") ? "no space" : undefined));
}

/** `alert`: what it says of a command; undefined: it is run. */
function inPlaceOf(alert: (args: readonly string[]) => Promise<string | undefined>, of = ""): Commands {
  const real = new SystemCommands();
  return {
    async run(program, args, options) {
      const words = await alert(args);
      if (words === undefined) return real.run(program, args, options);
      return { exitCode: 1, stdout: "", stderr: `[ALERT]    (1) : ${of}${words}` };
    },
  };
}
