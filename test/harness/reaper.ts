/** Waits until the test process has ended (its end of our stdin closes, also after SIGKILL), then sweeps the folder it was given. */
import { sweep } from "./sweep.ts";

const dir = process.argv[2];
if (!dir) throw new Error("usage: reaper.ts FOLDER");
process.stdin.resume();
process.stdin.on("error", () => sweep(dir));
process.stdin.on("end", () => sweep(dir));
