import type { Command } from "commander";
import type { Options } from "../app/settings.ts";
import type { Terminal } from "./terminal.ts";
import { inWords, settingsHere } from "./up.ts";

export function register(program: Command, terminal: Terminal): void {
  const service = program
    .command("service")
    .description("styr as a service of systemd: started at boot, restarted when it ends; pods never notice.");
  const say = (line: string) => terminal.out(`${line}\n`);
  withState(service.command("install"))
    .description("Write the unit, start it, and have it started at boot.")
    .argument("[words...]", "what it runs, with options: up --listen 0.0.0.0:8443 (default: what this host is)")
    .passThroughOptions()
    .action(async (words: string[], options: Options) => {
      const { installService } = await import("../app/service/service.ts");
      await inWords(async () => installService(await unitOf(words, options), say));
    });
  withState(service.command("print"))
    .description("Show the unit and write nothing.")
    .argument("[words...]", "as for install")
    .passThroughOptions()
    .action(async (words: string[], options: Options) => {
      const { serviceText } = await import("../app/service/service.ts");
      await inWords(async () => terminal.out(serviceText(await unitOf(words, options))));
    });
  withState(service.command("remove"))
    .description("Stop it and start it no more; what runs goes on running.")
    .action(async (options: Options) => {
      const { removeService } = await import("../app/service/service.ts");
      await inWords(async () => {
        if (!(await removeService(await settingsHere(options), say))) say("there is no such service");
      });
    });
}

function withState(command: Command): Command {
  return command.option("--state <dir>", "where everything is kept (root: /var/lib/styrmann)");
}

async function unitOf(words: readonly string[], options: Options) {
  const { readMembership } = await import("../app/membership.ts");
  const { serviceWords } = await import("../app/service/service-words.ts");
  const { stateDir, isDefaultState } = await settingsHere(options);
  const state = isDefaultState ? {} : { state: stateDir };
  const usual = serviceWords(await readMembership(stateDir), state);
  const given = words.length === 0 ? usual : [...words, ...(isDefaultState ? [] : ["--state", stateDir])];
  return { stateDir, isDefaultState, words: given };
}
