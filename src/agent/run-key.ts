import type { RunRef } from "../drivers/driver.ts";

/** One run among all of this node. */
export function runKey({ podUid, container, attempt }: RunRef): string {
  return `${podUid}/${container}/${attempt}`;
}
