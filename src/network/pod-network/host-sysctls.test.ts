import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CommandError, type Commands } from "../../seams/commands.ts";
import { HostSysctls } from "./host-sysctls.ts";

/** A host whose packets are passed on, and whose kernel has nothing of br_netfilter. */
function hostWhose(modprobe: () => ReturnType<Commands["run"]>): Commands {
  return {
    async run(program, args) {
      if (program === "modprobe") return modprobe();
      const isThere = args.includes("net.ipv4.ip_forward");
      return { exitCode: isThere ? 0 : 255, stdout: isThere ? "1\n" : "", stderr: "" };
    },
  };
}

async function wordsOn(commands: Commands): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "styr-sysctls-"));
  try {
    return await new HostSysctls(commands, folder).ensure();
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("a kernel without the module of a setting:", () => {
  const stderr = "modprobe: FATAL: Module br_netfilter not found in directory /lib/modules/6.1\n";

  test("the module is named, with what modprobe says and what to do", async () => {
    const [words, ...more] = await wordsOn(hostWhose(async () => ({ exitCode: 1, stdout: "", stderr })));
    assert.deepEqual(more, []);
    assert.match(words ?? "", /^net\.bridge\.bridge-nf-call-iptables cannot be set to 1: a pod does not reach/);
    assert.match(
      words ?? "",
      /module br_netfilter is not there \(modprobe: FATAL: .* not found.*\): load it \(modprobe br_/,
    );
  });

  test("also where there is no modprobe", async () => {
    const missing = () => Promise.reject(new CommandError("there is no modprobe on this host", true));
    assert.match((await wordsOn(hostWhose(missing)))[0] ?? "", /br_netfilter is not there \(there is no modprobe/);
  });
});
