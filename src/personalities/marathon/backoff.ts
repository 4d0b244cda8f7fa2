/** How long launches wait after failures (specification 1.7). Pure. */
import type { AppDefinition } from "./app-definition.ts";
import type { LaunchDelay } from "./kinds.ts";

/** The delay after one more task ended by itself. */
export function delayAfterEnd(app: AppDefinition, before: LaunchDelay | undefined, endedAtMs: number): LaunchDelay {
  const configVersion = app.versionInfo.lastConfigChangeAt;
  const running = before && before.configVersion === configVersion && !isForgotten(app, before, endedAtMs);
  const next = running ? before.delaySeconds * app.backoffFactor : app.backoffSeconds;
  const delaySeconds = Math.min(app.maxLaunchDelaySeconds, next);
  return { configVersion, delaySeconds, failedAtMs: endedAtMs, untilMs: endedAtMs + delaySeconds * 1000 };
}

/** How long the next launch still has to wait. */
export function remainingDelayMs(app: AppDefinition, delay: LaunchDelay | undefined, nowMs: number): number {
  if (!delay || delay.configVersion !== app.versionInfo.lastConfigChangeAt) return 0;
  return Math.max(0, delay.untilMs - nowMs);
}

/** After maxLaunchDelay without another failure the count starts again. */
function isForgotten(app: AppDefinition, delay: LaunchDelay, nowMs: number): boolean {
  return nowMs > delay.untilMs + app.maxLaunchDelaySeconds * 1000;
}
