/** One pending call of a Clock; `cancel` is idempotent and may come after the call. */
export interface Timer {
  cancel(): void;
}

/** Time, behind a seam so that the simulator can own it. All times are milliseconds. */
export interface Clock {
  /** Wall time since the epoch. May jump; use it only for what people read and for what is written down. */
  now(): number;
  /** Never goes back; its zero means nothing. Use it for every difference. */
  monotonic(): number;
  /** Calls `fn` once after `ms` (0 = on a later turn of the event loop). Does not keep the process alive. */
  setTimer(ms: number, fn: () => void): Timer;
  /** Resolves after `ms`, or rejects with `signal.reason` when that aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The real clock. Timers longer than 24 days are cut to that (setTimeout takes a 32-bit number). */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  setTimer(ms: number, fn: () => void): Timer {
    const handle = setTimeout(fn, Math.min(Math.max(0, ms), 2 ** 31 - 1));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(handle);
        reject(signal?.reason);
      };
      const handle = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

/** RFC 3339 in UTC with whole seconds, as Kubernetes writes metav1.Time. */
export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
