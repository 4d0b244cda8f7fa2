import type { ExecCommand } from "./exec-line.ts";
import { type ExitStatusSet, NO_EXIT_STATUS } from "./exit-status-set.ts";

export const SERVICE_TYPES = ["simple", "exec", "forking", "oneshot", "dbus", "notify", "idle"] as const;
export type ServiceType = (typeof SERVICE_TYPES)[number];
export const RESTARTS = ["no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"] as const;
export type Restart = (typeof RESTARTS)[number];
export const KILL_MODES = ["control-group", "process", "mixed", "none"] as const;
export type KillMode = (typeof KILL_MODES)[number];

/** When a unit is started: systemd.unit(5), the Condition settings that are evaluated. */
export interface Condition {
  readonly kind: ConditionKind;
  readonly value: string;
  /** `!` before the value. */
  readonly negated: boolean;
  /** `|`: one of these is enough. */
  readonly isTrigger: boolean;
  /** Assert…= makes a start that is not allowed a failure. */
  readonly isAssertion: boolean;
}

export const CONDITION_KINDS = [
  "PathExists",
  "PathIsDirectory",
  "FileNotEmpty",
  "FileIsExecutable",
  "DirectoryNotEmpty",
  "Host",
] as const;
export type ConditionKind = (typeof CONDITION_KINDS)[number];

export interface RlimitSetting {
  readonly soft: number | "unlimited";
  readonly hard: number | "unlimited";
}

/** Other units that this one speaks of, by kind, in the order of the file. */
export interface UnitRelations {
  readonly requires: readonly string[];
  readonly requisite: readonly string[];
  readonly wants: readonly string[];
  readonly bindsTo: readonly string[];
  readonly partOf: readonly string[];
  readonly conflicts: readonly string[];
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly onFailure: readonly string[];
  readonly onSuccess: readonly string[];
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
}

/** A service unit, read: systemd's defaults filled in, specifiers expanded. Times are milliseconds, Infinity for none. */
export interface ServiceSettings {
  readonly name: string;
  /** bad-setting: it cannot be started; the diagnostics with severity error say why. */
  readonly load: "loaded" | "bad-setting";
  /** False for timers, sockets and all else that is no .service: loaded, never executed. */
  readonly isExecutable: boolean;
  readonly description: string;
  readonly relations: UnitRelations;
  readonly conditions: readonly Condition[];

  readonly type: ServiceType;
  readonly execCondition: readonly ExecCommand[];
  readonly execStartPre: readonly ExecCommand[];
  readonly execStart: readonly ExecCommand[];
  readonly execStartPost: readonly ExecCommand[];
  readonly execStop: readonly ExecCommand[];
  readonly execStopPost: readonly ExecCommand[];
  readonly remainsAfterExit: boolean;
  readonly guessesMainPid: boolean;
  readonly pidFile?: string;

  readonly restart: Restart;
  readonly restartMs: number;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly runtimeMaxMs: number;
  readonly startLimitIntervalMs: number;
  readonly startLimitBurst: number;
  readonly successExitStatus: ExitStatusSet;
  readonly restartPreventExitStatus: ExitStatusSet;
  readonly restartForceExitStatus: ExitStatusSet;

  readonly killMode: KillMode;
  readonly killSignal: number;
  readonly restartKillSignal?: number;
  readonly finalKillSignal: number;
  readonly sendsSigkill: boolean;
  readonly sendsSighup: boolean;

  readonly environment: Readonly<Record<string, string>>;
  readonly environmentFiles: readonly { readonly path: string; readonly isOptional: boolean; readonly line: number }[];
  readonly unsetEnvironment: readonly string[];
  /** User=, Group= and the like are for ExecStart= alone. */
  readonly permissionsStartOnly: boolean;
  readonly user?: string;
  readonly group?: string;
  /** `~` is the user's home. */
  readonly workingDirectory?: string;
  readonly workingDirectoryMayLack: boolean;
  readonly umask: number;
  readonly nice?: number;
  readonly oomScoreAdjust?: number;
  readonly rlimits: Readonly<Record<string, RlimitSetting>>;

  /** Hard limit; the lower of MemoryMax= and MemoryLimit=. */
  readonly memoryMaxBytes?: number;
  /** MemoryMax=20%: of the node's memory, which only the node knows. */
  readonly memoryMaxPercent?: number;
  /** CPUQuota=150% is 1500. */
  readonly cpuQuotaMillis?: number;
  readonly cpuShares?: number;
  readonly cpuWeight?: number;
  readonly tasksMax?: number;
}

const NO_RELATIONS: UnitRelations = {
  requires: [],
  requisite: [],
  wants: [],
  bindsTo: [],
  partOf: [],
  conflicts: [],
  before: [],
  after: [],
  onFailure: [],
  onSuccess: [],
  wantedBy: [],
  requiredBy: [],
};

const SIGTERM = 15;
const SIGKILL = 9;

/** systemd's compiled-in defaults (systemd-system.conf(5)). */
export function defaultService(name: string): ServiceSettings {
  return {
    name,
    load: "loaded",
    isExecutable: name.endsWith(".service"),
    description: name,
    relations: NO_RELATIONS,
    conditions: [],
    type: "simple",
    execCondition: [],
    execStartPre: [],
    execStart: [],
    execStartPost: [],
    execStop: [],
    execStopPost: [],
    remainsAfterExit: false,
    guessesMainPid: true,
    restart: "no",
    restartMs: 100,
    startTimeoutMs: 90_000,
    stopTimeoutMs: 90_000,
    runtimeMaxMs: Number.POSITIVE_INFINITY,
    startLimitIntervalMs: 10_000,
    startLimitBurst: 5,
    successExitStatus: NO_EXIT_STATUS,
    restartPreventExitStatus: NO_EXIT_STATUS,
    restartForceExitStatus: NO_EXIT_STATUS,
    killMode: "control-group",
    killSignal: SIGTERM,
    finalKillSignal: SIGKILL,
    sendsSigkill: true,
    sendsSighup: false,
    environment: {},
    environmentFiles: [],
    unsetEnvironment: [],
    permissionsStartOnly: false,
    workingDirectoryMayLack: false,
    umask: 0o022,
    rlimits: {},
  };
}
