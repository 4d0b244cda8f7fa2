/** Turns what the engine refused into the driver's failures, with Docker's own words. */
import { DriverError } from "../driver.ts";
import { EngineRefusal } from "./engine.ts";

/**
 * Runs `work`; an EngineRefusal becomes a DriverError with `reason`. A 4xx is the request's own fault and stays (except conflicts and things
 * that are gone, which another try meets differently); a 5xx may pass: a port or an address that is still held, a full disk.
 */
export async function withReason<T>(reason: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
    const temporary = error.status >= 500 || [404, 408, 409, 429].includes(error.status);
    throw new DriverError(withAdvice(error.message), { temporary, reason, cause: error });
  }
}

/** What a person can do about it, where Docker's words do not say. */
function withAdvice(message: string): string {
  if (!/iptables[\s\S]*No chain\/target\/match by that name/.test(message)) return message;
  const said = message.replaceAll(/\s+/g, " ").trim();
  return `${said}; somebody took Docker's own rules away: systemctl restart docker makes them anew (with live-restore nothing stops)`;
}

export function isRefusal(error: unknown, ...statuses: readonly number[]): error is EngineRefusal {
  return error instanceof EngineRefusal && statuses.includes(error.status);
}

/** Runs `work`; an answer with one of these statuses means that it is already so. */
export async function already(statuses: readonly number[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isRefusal(error, ...statuses)) throw error;
  }
}
