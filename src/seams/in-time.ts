import type { Clock } from "./clock.ts";

/**
 * What `work` comes to; when it takes longer than `ms`, what `late` says instead, or throws. The work itself goes on, and what
 * becomes of it then is nobody's.
 */
export async function inTime<T, L>(clock: Clock, ms: number, work: Promise<T>, late: () => L): Promise<T | L> {
  const over = Promise.withResolvers<void>();
  const timer = clock.setTimer(ms, over.resolve);
  try {
    return await Promise.race([work, over.promise.then(late)]);
  } finally {
    timer.cancel();
  }
}
