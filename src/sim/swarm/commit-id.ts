import { execFileSync } from "node:child_process";

/** Of the checkout, for whoever replays a failure elsewhere. */
export function commitId(): string {
  try {
    const head = ["rev-parse", "--short=12", "HEAD"];
    return execFileSync("git", head, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .trim();
  } catch (error) {
    // A tarball has no history.
    return `unknown (${(error as Error).message.split("\n")[0]})`;
  }
}
