import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import { signalName } from "../../model/unit/values.ts";
import type { User } from "../keeper/users.ts";
import type { ServiceState } from "./service-state.ts";

/** systemd's default for services of the system manager. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface EnvironmentSources {
  readonly service: ServiceSettings;
  readonly state: ServiceState;
  /** Of the pod: what its dialect injects. */
  readonly pod: Readonly<Record<string, string>>;
  /** What EnvironmentFile= gave, in the order of the files. */
  readonly files: readonly (readonly [string, string])[];
  /** Of User=. */
  readonly user?: User | undefined;
  readonly dockerHost?: string | undefined;
  /** ExecStop= and ExecStopPost= are told how it ended. */
  readonly isStopping: boolean;
}

/** The whole environment of one process, weakest source first. Source: systemd.exec(5), "Environment variables in spawned processes". */
export function processEnvironment(sources: EnvironmentSources): Readonly<Record<string, string>> {
  const { service, state, pod, files, user, dockerHost } = sources;
  const environment: Record<string, string> = {
    PATH: DEFAULT_PATH,
    ...(dockerHost === undefined ? {} : { DOCKER_HOST: dockerHost }),
    ...(user === undefined ? {} : userVariables(user)),
    INVOCATION_ID: state.invocationId,
    ...(state.main?.pid === undefined ? {} : { MAINPID: String(state.main.pid) }),
    ...(sources.isStopping ? endVariables(state) : {}),
    ...pod,
    ...service.environment,
    ...Object.fromEntries(files),
  };
  for (const entry of service.unsetEnvironment) {
    const [name = "", ...value] = entry.split("=");
    if (value.length === 0 || environment[name] === value.join("=")) delete environment[name];
  }
  return environment;
}

function userVariables({ name, home, shell }: User): Record<string, string> {
  return { HOME: home, SHELL: shell, ...(name === undefined ? {} : { USER: name, LOGNAME: name }) };
}

function endVariables({ result, mainEnd }: ServiceState): Record<string, string> {
  if (!mainEnd || mainEnd.isLost) return { SERVICE_RESULT: result };
  const { signal, dumpedCore, code } = mainEnd;
  if (signal === undefined) return { SERVICE_RESULT: result, EXIT_CODE: "exited", EXIT_STATUS: String(code) };
  const how = dumpedCore ? "dumped" : "killed";
  return { SERVICE_RESULT: result, EXIT_CODE: how, EXIT_STATUS: signalName(signal).replace(/^SIG/, "") };
}
