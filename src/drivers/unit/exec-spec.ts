import { statSync } from "node:fs";
import { withDockerFlags } from "../../model/unit/docker-run.ts";
import type { ExecCommand } from "../../model/unit/exec-line.ts";
import { expandWords } from "../../model/unit/expand-words.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import type { ContainerRun } from "../driver.ts";
import type { ProcessSpec } from "../keeper/keeper.ts";
import type { User } from "../keeper/users.ts";

export interface ExecPlan {
  readonly id: string;
  readonly command: ExecCommand;
  readonly service: ServiceSettings;
  readonly run: ContainerRun;
  readonly env: Readonly<Record<string, string>>;
  readonly user: User | undefined;
  readonly cgroup: string;
  readonly logDir: string;
  /** Put into the unit's own `docker run`, so that the container is found with its unit. */
  readonly dockerFlags: readonly string[];
}

/** One command of a unit as the keeper is to execute it. */
export function processSpec({ command, service, run, env, ...plan }: ExecPlan): ProcessSpec {
  const words = command.expandsVariables ? expandWords(command.argv, env) : command.argv;
  const [argv0 = command.path, ...rest] = words;
  return {
    id: plan.id,
    argv: withDockerFlags([command.path, ...rest], plan.dockerFlags),
    ...(argv0 === command.path ? {} : { argv0 }),
    env,
    cwd: workingDirectory(service, plan.user),
    ...(command.privileged ? {} : identity(service, run)),
    rlimits: service.rlimits,
    ...adjustment(service, run),
    ...(service.nice === undefined ? {} : { nice: service.nice }),
    umask: service.umask,
    cgroup: plan.cgroup,
    logDir: plan.logDir,
  };
}

/** An unknown user or group is found out by the keeper: 217 and 216. */
function identity(
  { user, group }: ServiceSettings,
  { runAsUser, runAsGroup }: ContainerRun,
): Pick<ProcessSpec, "user" | "group" | "uid" | "gid" | "initGroups"> {
  return {
    ...(user === undefined ? {} : { user, initGroups: true }),
    ...(group === undefined ? {} : { group }),
    ...(runAsUser === undefined ? {} : { uid: runAsUser }),
    ...(runAsGroup === undefined ? {} : { gid: runAsGroup }),
  };
}

function adjustment(
  { oomScoreAdjust }: ServiceSettings,
  { limits }: ContainerRun,
): Pick<ProcessSpec, "oomScoreAdjust"> {
  const value = oomScoreAdjust ?? limits.oomScoreAdjust;
  return value === undefined ? {} : { oomScoreAdjust: value };
}

function workingDirectory(service: ServiceSettings, user: User | undefined): string {
  const path = service.workingDirectory === "~" ? (user?.home ?? "/root") : (service.workingDirectory ?? "/");
  if (!service.workingDirectoryMayLack) return path;
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? path : "/";
}
