import { isAbsolute, resolve } from "node:path";
import { type ContainerRun, DriverError } from "../driver.ts";
import type { ProcessContext } from "../keeper/keeper.ts";
import type { RunFolder } from "./run-folders.ts";
import { cgroupOf } from "./run-ids.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The name by which commands and variables may refer to the sandbox, whose path only the node knows. */
const SANDBOX_VARIABLE = "STYR_SANDBOX";

/** How this run's processes are to be. */
export function contextOf(run: ContainerRun, folder: RunFolder): ProcessContext {
  const { spec, limits } = run;
  const user = spec.process?.user ?? (run.runAsUser === undefined ? undefined : String(run.runAsUser));
  const own = Object.entries(run.env).map(([name, value]) => [name, withSandbox(value, folder)]);
  return {
    env: { PATH, [SANDBOX_VARIABLE]: folder.sandbox, ...Object.fromEntries(own) },
    cwd: resolve(folder.sandbox, spec.workingDir ?? "."),
    cgroup: cgroupOf(run.ref),
    initGroups: true,
    ...(user === undefined ? {} : { user }),
    ...(run.runAsGroup === undefined ? {} : { gid: run.runAsGroup }),
    ...(limits.oomScoreAdjust === undefined ? {} : { oomScoreAdjust: limits.oomScoreAdjust }),
  };
}

/** The argument vector. DriverError when the container names nothing to run. */
export function commandOf({ spec }: ContainerRun, folder: RunFolder): readonly string[] {
  const argv = [...(spec.command ?? []), ...(spec.args ?? [])];
  if (argv.length === 0)
    throw refusal(`container ${spec.name} has no command, and a process has no image to take one from`);
  return argv.map((argument) => withSandbox(argument, folder));
}

/** `$(STYR_SANDBOX)`, which nobody before the node could expand. */
function withSandbox(text: string, { sandbox }: RunFolder): string {
  return text.replaceAll(`$(${SANDBOX_VARIABLE})`, sandbox);
}

export interface VolumeLink {
  /** Relative to the sandbox. */
  readonly path: string;
  readonly target: string;
}

/** A process sees the host's own files: a volume at a relative path is a link in the sandbox, one at its own path is there already. */
export function volumeLinks({ mounts, spec }: ContainerRun): readonly VolumeLink[] {
  const links: VolumeLink[] = [];
  for (const { hostPath, mountPath } of mounts) {
    if (resolve("/", mountPath) === hostPath && isAbsolute(mountPath)) continue;
    if (isAbsolute(mountPath) || mountPath.split("/").includes("..")) {
      throw refusal(
        `container ${spec.name}: a process without a container cannot have ${hostPath} at ${mountPath}; use a path relative to its sandbox`,
      );
    }
    links.push({ path: mountPath, target: hostPath });
  }
  return links;
}

function refusal(message: string): DriverError {
  return new DriverError(message, { temporary: false, reason: "CreateContainerConfigError" });
}
