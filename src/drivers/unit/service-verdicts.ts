/** What systemd makes of an end: a result, and whether the service is started again. */
import { hasExitStatus } from "../../model/unit/exit-status-set.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import type { ProcessEnd, ServiceResult, ServiceState } from "./service-state.ts";

/** What a daemon that is asked to end may end by: HUP, INT, PIPE, TERM. */
const CLEAN_SIGNALS = [1, 2, 13, 15];

/** A daemon ends well by those signals too, a command only by exit code 0 (systemd is_clean_exit). */
export function judgeEnd(end: ProcessEnd, service: ServiceSettings, isDaemon: boolean): ServiceResult {
  if (end.isLost === true) return "exit-code";
  if (hasExitStatus(service.successExitStatus, end)) return "success";
  if (end.signal === undefined) return end.code === 0 ? "success" : "exit-code";
  if (isDaemon && CLEAN_SIGNALS.includes(end.signal)) return "success";
  if (end.outOfMemory === true) return "oom-kill";
  return end.dumpedCore === true ? "core-dump" : "signal";
}

/** Restart= and its exceptions; never after a stop that was asked for. Source: systemd service_shall_restart(). */
export function restarts(service: ServiceSettings, { result, mainEnd, isStopAsked }: ServiceState): boolean {
  if (isStopAsked) return false;
  if (mainEnd && hasExitStatus(service.restartPreventExitStatus, mainEnd)) return false;
  if (mainEnd && hasExitStatus(service.restartForceExitStatus, mainEnd)) return true;
  if (result === "exec-condition") return false;
  switch (service.restart) {
    case "always":
      return true;
    case "on-success":
      return result === "success";
    case "on-failure":
      return result !== "success";
    case "on-abnormal":
      return result !== "success" && result !== "exit-code";
    case "on-abort":
      return result === "signal" || result === "core-dump";
    default:
      return false;
  }
}
