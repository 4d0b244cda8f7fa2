import { execFileSync } from "node:child_process";

/** Of the checkout, for whoever replays a failure elsewhere. */
export function commitId(): string {
  try {
    const options = { cwd: import.meta.dirname, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] } as const;
    return execFileSync("git", ["rev-parse", "--short=12", "HEAD"], options).trim();
  } catch (error) {
    // A tarball has no history.
    return `unknown (${(error as Error).message.split("\n")[0]})`;
  }
}
