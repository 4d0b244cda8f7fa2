import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import { signalName } from "../../model/unit/values.ts";
import type { CommandList, ProcessEnd, RunningCommand } from "./service-state.ts";

const KEY: Readonly<Record<CommandList, string>> = {
  execCondition: "ExecCondition",
  execStartPre: "ExecStartPre",
  execStart: "ExecStart",
  execStartPost: "ExecStartPost",
  execStop: "ExecStop",
  execStopPost: "ExecStopPost",
};

/** Long command lines are cut: what matters is what it said. */
const COMMAND_CHARACTERS = 120;

/** `ExecStartPre=/usr/bin/docker pull nginx`. */
export function commandText({ list, index }: RunningCommand, service: ServiceSettings): string {
  const words = service[list][index]?.argv.join(" ") ?? "";
  const text = words.length > COMMAND_CHARACTERS ? `${words.slice(0, COMMAND_CHARACTERS)}…` : words;
  return `${KEY[list]}=${text}`;
}

/** `… exited with code 1: what it said`. */
export function endInWords(what: string, end: ProcessEnd, words: string | undefined): string {
  const how =
    end.isLost === true
      ? "ended and nobody saw how, so it counts as a failure"
      : end.signal === undefined
        ? `exited with code ${end.code}`
        : end.outOfMemory === true
          ? "was killed by the kernel because its memory limit was reached"
          : `was killed by ${signalName(end.signal)}`;
  return `${what} ${how}${words === undefined || words === "" ? "" : `: ${words}`}`;
}
