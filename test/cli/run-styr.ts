import { spawn } from "node:child_process";
import { dirname } from "node:path";

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const LAUNCHER = new URL("../../launcher/styr", import.meta.url).pathname;
const LONGEST_MS = 60_000;

/** Runs the real command line, as a user's shell would. */
export function styr(
  server: string,
  args: readonly string[],
  input = "",
  env: Record<string, string> = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(LAUNCHER, args, {
      env: { PATH: `${dirname(LAUNCHER)}:${process.env.PATH}`, HOME: "/nonexistent", STYR_SERVER: server, ...env },
    });
    const parts = { out: [] as Buffer[], err: [] as Buffer[] };
    child.stdout.on("data", (data) => parts.out.push(data));
    child.stderr.on("data", (data) => parts.err.push(data));
    const text = (of: "out" | "err") => Buffer.concat(parts[of]).toString();
    const deadline = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`styr ${args.join(" ")} did not end within ${LONGEST_MS} ms: ${text("out")} ${text("err")}`));
    }, LONGEST_MS);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(deadline);
      resolve({ code, out: text("out"), err: text("err") });
    });
    // A command that ends before it has read everything is no failure of the test.
    child.stdin.on("error", (error: NodeJS.ErrnoException) => error.code === "EPIPE" || reject(error));
    child.stdin.end(input);
  });
}
