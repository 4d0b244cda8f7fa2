/**
 * While a world runs it hears of rejections that nobody handles itself. What comes after its end is of somebody in it who
 * waits in vain, and must not end the process that ran it.
 */
export function allowLateRejections(): void {
  process.on("unhandledRejection", () => undefined);
}
