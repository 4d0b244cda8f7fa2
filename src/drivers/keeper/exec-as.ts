/**
 * Becomes another program: the last step of a launch that util-linux cannot make (an argv[0] of one's own, a terminal).
 * Its last argument is the file with the order; called by `script` it stands where that expects a shell (`-c ORDER`).
 */
import { spawnSync } from "node:child_process";
import { fchownSync, readFileSync, unlinkSync } from "node:fs";
import type { ExecOrder } from "./launch-plan.ts";

const path = process.argv.at(-1) ?? "";
const order = JSON.parse(readFileSync(path, "utf8")) as ExecOrder;
unlinkSync(path);
const { file, argv, env, identity, size } = order;
if (size) {
  const settings = ["sane", "rows", String(size.rows), "cols", String(size.columns)];
  spawnSync("/usr/bin/stty", settings, { stdio: "inherit" });
  fchownSync(0, identity.uid, identity.gid);
}
process.setgroups?.([...identity.groups]);
process.setgid?.(identity.gid);
process.setuid?.(identity.uid);
process.execve?.(file, argv, { ...env });
