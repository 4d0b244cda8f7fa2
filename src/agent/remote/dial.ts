import type { Clock } from "../../seams/clock.ts";
import { type Dialer, type Link, LinkError, type LinkListener } from "../../seams/link.ts";

/** One attempt, bounded in time even when the dialer does not heed its signal. Rejects with LinkError, or with `signal`'s reason. */
export function dialWithin(
  dialer: Dialer,
  listener: LinkListener,
  { clock, limitMs, signal }: { readonly clock: Clock; readonly limitMs: number; readonly signal: AbortSignal },
): Promise<Link> {
  return new Promise((resolve, reject) => {
    const attempt = new AbortController();
    let isOver = false;
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      return true;
    };
    const fail = (error: unknown) => {
      if (!end()) return;
      attempt.abort(error);
      reject(error);
    };
    const onAbort = () => fail(signal.reason);
    const timer = clock.setTimer(limitMs, () =>
      fail(new LinkError(`nobody answered within ${limitMs / 1000} s`, false)),
    );
    if (signal.aborted) return fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    dialer.dial(listener, attempt.signal).then((link) => {
      if (end()) resolve(link);
      else link.close("too late");
    }, fail);
  });
}

/** Tries each address once, in turn. When all of them fail the error is `refused` only if every one of them was. */
export async function dialRound(
  dialers: readonly Dialer[],
  listener: LinkListener,
  bounds: { readonly clock: Clock; readonly limitMs: number; readonly signal: AbortSignal },
): Promise<Link> {
  const failures: LinkError[] = [];
  for (const dialer of dialers) {
    try {
      return await dialWithin(dialer, listener, bounds);
    } catch (error) {
      if (bounds.signal.aborted || !(error instanceof LinkError)) throw error;
      failures.push(error);
    }
  }
  const words = [...new Set(failures.map(({ message }) => message))].join("; ");
  throw new LinkError(words || "no address to dial", failures.length > 0 && failures.every(({ refused }) => refused));
}
