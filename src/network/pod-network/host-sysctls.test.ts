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

describe("a strict filter of ways back, on a link with other hosts:", () => {
  async function after(before: { readonly all: string; readonly eth0: string }) {
    const values = new Map(Object.entries(before).map(([name, value]) => [`net/ipv4/conf/${name}/rp_filter`, value]));
    const commands: Commands = {
      async run(_program, args) {
        if (args[0] === "-n")
          return {
            exitCode: 0,
            stderr: "",
            stdout: args
              .slice(1)
              .map((name) => `${values.get(name) ?? "?"}\n`)
              .join(""),
          };
        const [name = "", value = ""] = (args[1] ?? "").split("=");
        values.set(name, value);
        return { exitCode: 0, stdout: "", stderr: "" };
      },
    };
    const folder = await mkdtemp(join(tmpdir(), "styr-sysctls-"));
    const sysctls = new HostSysctls(commands, folder);
    const words = [...(await sysctls.loosen(["eth0"])), ...(await sysctls.loosen(["eth0"]))];
    const loosened = Object.fromEntries(values);
    await sysctls.restore();
    await rm(folder, { recursive: true, force: true });
    return { words, device: loosened["net/ipv4/conf/eth0/rp_filter"], restored: Object.fromEntries(values) };
  }
  const asBefore = (all: string, eth0: string) => ({
    "net/ipv4/conf/all/rp_filter": all,
    "net/ipv4/conf/eth0/rp_filter": eth0,
  });

  test("the device's is loose, and as it was when styr leaves", async () => {
    for (const [all, eth0] of [
      ["1", "0"],
      ["0", "1"],
      ["1", "1"],
    ] as const)
      assert.deepEqual(await after({ all, eth0 }), { words: [], device: "2", restored: asBefore(all, eth0) });
  });

  test("one that is none, or loose already, is left alone", async () => {
    assert.equal((await after({ all: "0", eth0: "0" })).device, "0");
    assert.equal((await after({ all: "2", eth0: "1" })).device, "1");
  });
});
