/**
 * What the driver contract needs to know of a driver to try it: how to make one, and how to word a few programs for it. Another driver
 * joins the suite by one file beside this one that calls `driverContract(name, open)`.
 */
import type { Driver } from "../../../src/drivers/driver.ts";
import type { Container } from "../../../src/model/pod.ts";

/** The programs the contract runs, in the words of the driver under test. */
export interface Programs {
  /** Runs until it is asked to end, and then ends at once. */
  readonly service: Partial<Container>;
  /** Ends by itself with this exit code after about `ms`. */
  exits(code: number, afterMs: number): Partial<Container>;
  /** Runs on when asked to end. */
  readonly stubborn: Partial<Container>;
  /** Prints `first`, `second`, `third` as lines on stdout and `wrong` on stderr, then runs on. */
  readonly talker: Partial<Container>;
}

export interface Subject {
  readonly programs: Programs;
  /** A new driver object on the same engine, as after a restart of styr. */
  reopen(): Driver;
  /** An address for a pod of one container; undefined when this driver's pods have none. */
  address?(): string;
  close(): Promise<void>;
}
