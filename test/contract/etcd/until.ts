import assert from "node:assert/strict";

/** Waits until `check` gives something true. `missing` says what was not, in the end. */
export async function until<T>(
  check: () => T | Promise<T>,
  missing: string | (() => string),
  withinMs = 20_000,
): Promise<NonNullable<T>> {
  const from = performance.now();
  for (;;) {
    const found = await check();
    if (found) return found;
    const words = typeof missing === "string" ? missing : missing();
    assert.ok(performance.now() - from < withinMs, `after ${withinMs} ms still missing: ${words}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
