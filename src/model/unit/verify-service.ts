import type { ServiceSettings } from "./service-settings.ts";

export interface ServiceProblem {
  readonly line: number;
  readonly message: string;
}

/** What makes a service one that systemd refuses to load, in its words. Source: systemd src/core/service.c service_verify(). */
export function verifyService(service: ServiceSettings): readonly ServiceProblem[] {
  const { type, execStart, execStop, restart, remainsAfterExit } = service;
  const problem = (message: string, line = 0): readonly ServiceProblem[] => [{ line, message: `${message} Refusing.` }];
  const isOneshot = type === "oneshot";
  if (execStart.length === 0 && execStop.length === 0)
    return problem("Service has no ExecStart=, ExecStop=, or SuccessAction=.");
  if (!remainsAfterExit && execStart.length === 0)
    return problem(
      "Service has no ExecStart= and no SuccessAction= settings and does not have RemainAfterExit=yes set.",
    );
  if (!isOneshot && execStart.length > 1)
    return problem(
      "Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services.",
      execStart[1]?.line,
    );
  if (isOneshot && (restart === "always" || restart === "on-success"))
    return problem(
      "Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services.",
    );
  const forced = service.restartForceExitStatus;
  if (isOneshot && forced.codes.length + forced.signals.length > 0)
    return problem("Service has RestartForceExitStatus= set, which isn't allowed for Type=oneshot services.");
  return [];
}
