import { CommandError, type Commands } from "../../src/seams/commands.ts";

/** The same host, where this program is not installed. */
export function withoutProgram(commands: Commands, missing: string): Commands {
  return {
    run: (program, args, options) =>
      program === missing
        ? Promise.reject(new CommandError(`there is no ${missing} on this host`, true))
        : commands.run(program, args, options),
  };
}
