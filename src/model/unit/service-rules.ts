/** What each key of [Service] that is acted on does to the settings. */
import { isVariableName, parseAssignments } from "./environment.ts";
import type { ExecCommand } from "./exec-line.ts";
import { parseExecLine } from "./exec-line.ts";
import { addExitStatuses, type ExitStatusSet, NO_EXIT_STATUS } from "./exit-status-set.ts";
import { LIMIT_RULES } from "./limit-rules.ts";
import { defaultService, KILL_MODES, RESTARTS, SERVICE_TYPES } from "./service-settings.ts";
import { choice, type SettingRule, scalar } from "./setting-rule.ts";
import { parseBoolean, parseInteger, parseSignal, parseTimeSpanMs } from "./values.ts";
import { splitWords } from "./words.ts";

type Commands = "execCondition" | "execStartPre" | "execStart" | "execStartPost" | "execStop" | "execStopPost";

const DEFAULTS = defaultService("");
const A_BOOLEAN = "yes or no";
const A_TIME = "a time such as 30, 5min 20s or infinity";
const A_SIGNAL = "a signal such as SIGTERM";

export const SERVICE_RULES: Readonly<Record<string, SettingRule>> = {
  Type: choice("type", DEFAULTS, SERVICE_TYPES),
  ExecCondition: commands("execCondition"),
  ExecStartPre: commands("execStartPre"),
  ExecStart: commands("execStart"),
  ExecStartPost: commands("execStartPost"),
  ExecStop: commands("execStop"),
  ExecStopPost: commands("execStopPost"),
  RemainAfterExit: scalar("remainsAfterExit", DEFAULTS, parseBoolean, A_BOOLEAN),
  GuessMainPID: scalar("guessesMainPid", DEFAULTS, parseBoolean, A_BOOLEAN),
  PIDFile: pidFile,

  Restart: choice("restart", DEFAULTS, RESTARTS),
  RestartSec: scalar("restartMs", DEFAULTS, parseTimeSpanMs, A_TIME),
  TimeoutStartSec: scalar("startTimeoutMs", DEFAULTS, timeoutMs, A_TIME),
  TimeoutStopSec: scalar("stopTimeoutMs", DEFAULTS, timeoutMs, A_TIME),
  TimeoutSec(draft, value, place) {
    scalar("startTimeoutMs", DEFAULTS, timeoutMs, A_TIME)(draft, value, place);
    if (timeoutMs(value) !== undefined || value === "")
      scalar("stopTimeoutMs", DEFAULTS, timeoutMs, A_TIME)(draft, value, place);
  },
  RuntimeMaxSec: scalar("runtimeMaxMs", DEFAULTS, timeoutMs, A_TIME),
  // systemd before 230 had the start limit here, and still reads it here.
  StartLimitInterval: scalar("startLimitIntervalMs", DEFAULTS, parseTimeSpanMs, A_TIME),
  StartLimitBurst: scalar("startLimitBurst", DEFAULTS, parseCount, "a whole number"),
  SuccessExitStatus: exitStatuses("successExitStatus"),
  RestartPreventExitStatus: exitStatuses("restartPreventExitStatus"),
  RestartForceExitStatus: exitStatuses("restartForceExitStatus"),

  KillMode: choice("killMode", DEFAULTS, KILL_MODES),
  KillSignal: scalar("killSignal", DEFAULTS, parseSignal, A_SIGNAL),
  RestartKillSignal: scalar("restartKillSignal", DEFAULTS, parseSignal, A_SIGNAL),
  FinalKillSignal: scalar("finalKillSignal", DEFAULTS, parseSignal, A_SIGNAL),
  SendSIGKILL: scalar("sendsSigkill", DEFAULTS, parseBoolean, A_BOOLEAN),
  SendSIGHUP: scalar("sendsSighup", DEFAULTS, parseBoolean, A_BOOLEAN),

  Environment: environment,
  EnvironmentFile: environmentFile,
  UnsetEnvironment: unsetEnvironment,
  User: account("user"),
  Group: account("group"),
  PermissionsStartOnly: scalar("permissionsStartOnly", DEFAULTS, parseBoolean, A_BOOLEAN),
  WorkingDirectory: workingDirectory,
  UMask: scalar("umask", DEFAULTS, parseUmask, "an octal number such as 0022"),
  ...LIMIT_RULES,
};

/** 0 once meant "no timeout" and still does (systemd parse_sec_fix_0). */
function timeoutMs(text: string): number | undefined {
  const ms = parseTimeSpanMs(text);
  return ms === 0 ? Number.POSITIVE_INFINITY : ms;
}

function parseCount(text: string): number | undefined {
  const count = parseInteger(text);
  return count !== undefined && count >= 0 ? count : undefined;
}

function parseUmask(text: string): number | undefined {
  return /^[0-7]{1,4}$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** Repeated lines add up; an empty one begins again. */
function commands(field: Commands): SettingRule {
  return (draft, value, place) => {
    if (value === "") {
      draft[field] = [];
      return;
    }
    const read = parseExecLine(value, place.line, place.expand);
    for (const warning of read.warnings) place.warn(`${place.key}=: ${warning}`);
    if (read.error !== undefined) place.refuse(`${place.key}=${value} cannot be executed: ${read.error}`);
    const before: readonly ExecCommand[] = draft[field];
    draft[field] = [...before, ...read.commands];
  };
}

function pidFile(...[draft, value, place]: Parameters<SettingRule>): void {
  const path = place.expand(value);
  if (path === "") delete draft.pidFile;
  else draft.pidFile = path.startsWith("/") ? path : `/run/${path}`;
}

function exitStatuses(field: "successExitStatus" | "restartPreventExitStatus" | "restartForceExitStatus"): SettingRule {
  return (draft, value, place) => {
    if (value === "") {
      draft[field] = NO_EXIT_STATUS;
      return;
    }
    const before: ExitStatusSet = draft[field];
    const { set, unknown } = addExitStatuses(before, splitWords(value, { unescape: false, relaxed: true }).words);
    draft[field] = set;
    for (const word of unknown)
      place.warn(`${place.key}=: "${word}" is ignored: an exit code from 0 to 255 or a signal's name is expected`);
  };
}

function environment(...[draft, value, place]: Parameters<SettingRule>): void {
  if (value === "") {
    draft.environment = {};
    return;
  }
  const { assignments, problems } = parseAssignments(value, place.expand);
  draft.environment = { ...draft.environment, ...Object.fromEntries(assignments) };
  for (const problem of problems) place.warn(`${place.key}=: ${problem}`);
}

function environmentFile(...[draft, value, place]: Parameters<SettingRule>): void {
  if (value === "") {
    draft.environmentFiles = [];
    return;
  }
  const isOptional = value.startsWith("-");
  const path = place.expand(isOptional ? value.slice(1) : value);
  if (!path.startsWith("/")) place.warn(`${place.key}=${value} is ignored: an absolute path is expected`);
  else draft.environmentFiles = [...draft.environmentFiles, { path, isOptional, line: place.line }];
}

/** Names, or NAME=VALUE to take away only that value. */
function unsetEnvironment(...[draft, value, place]: Parameters<SettingRule>): void {
  const words = splitWords(place.expand(value), { unescape: false, relaxed: true }).words;
  const before: readonly string[] = value === "" ? [] : draft.unsetEnvironment;
  draft.unsetEnvironment = [...before, ...words.filter((word) => isVariableName(word.split("=")[0] ?? ""))];
}

function account(field: "user" | "group"): SettingRule {
  return (draft, value, place) => {
    const name = place.expand(value);
    if (name === "") delete draft[field];
    // Names are taken loosely, as by systemd; one that does not exist is found out at the start (217/USER).
    else if (/^[^\p{Cc}:/]+$/u.test(name)) draft[field] = name;
    else place.refuse(`${place.key}=${value} is no name of a user or group`);
  };
}

function workingDirectory(...[draft, value, place]: Parameters<SettingRule>): void {
  const mayLack = value.startsWith("-");
  const path = place.expand(mayLack ? value.slice(1) : value);
  if (path === "") delete draft.workingDirectory;
  else if (path === "~" || path.startsWith("/")) draft.workingDirectory = path;
  else {
    const message = `${place.key}=${value}: an absolute path or ~ is expected`;
    if (mayLack) place.warn(`${message}; it is ignored`);
    else place.refuse(message);
    return;
  }
  draft.workingDirectoryMayLack = mayLack;
}
