import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, type Commands } from "../../seams/commands.ts";
import { withPortHolder } from "./port-holders.ts";

const TAKEN = "HAProxy does not start: cannot bind socket (Address already in use) for [0.0.0.0:80]";
const LISTENERS = [
  'LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=700,fd=3))         ',
  'LISTEN 0      5            0.0.0.0:80         0.0.0.0:*    users:(("python3",pid=4242,fd=3))      ',
].join("\n");
const ss = (stdout: string): Commands => ({ run: async () => ({ exitCode: 0, stdout, stderr: "" }) });

test("a port that HAProxy cannot have is said with the program that has it, and what to do", async () => {
  const words = await withPortHolder(TAKEN, [80, 443], ss(LISTENERS));
  assert.match(words, /^port 80 is taken by python3 \(pid 4242\) \(next: stop it, .*\): HAProxy does not start/);
  assert.equal(await withPortHolder(TAKEN, [443], ss(LISTENERS)), TAKEN);
  assert.equal(await withPortHolder("no space", [80], ss(LISTENERS)), "no space");
  const missing: Commands = { run: () => Promise.reject(new CommandError("there is no ss on this host", true)) };
  assert.equal(await withPortHolder(TAKEN, [80], missing), TAKEN);
});
