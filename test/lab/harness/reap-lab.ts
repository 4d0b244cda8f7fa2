/** Waits until the test process has ended (its end of our stdin closes, also after SIGKILL), then sweeps the lab it was given. */
import { sweepLab } from "./sweep-lab.ts";

const dir = process.argv[2];
if (!dir) throw new Error("usage: reap-lab.ts FOLDER");
process.stdin.resume();
process.stdin.on("error", () => sweepLab(dir));
process.stdin.on("end", () => sweepLab(dir));
