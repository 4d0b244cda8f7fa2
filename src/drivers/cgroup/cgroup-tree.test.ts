/** On a fake tree directory: which files are written, without a kernel that acts on them. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { CgroupTree } from "./cgroup-tree.ts";
import type { CgroupLayout, Hierarchy } from "./layout.ts";

const CPU_AND_MEMORY = ["cpu", "memory", "pids"];

describe("cgroup tree on files", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "styr-fake-cgroup-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const put = (path: string, text = "") => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  const read = (path: string) => readFileSync(join(dir, path), "utf8");
  const v2 = (): CgroupTree => {
    const unified: Hierarchy = { version: 2, controllers: CPU_AND_MEMORY, path: dir };
    return treeOf({ hierarchies: [unified], tracking: unified });
  };
  const treeOf = (layout: CgroupLayout) => new CgroupTree({ root: "styr", layout });
  const v2Files = (path: string) => {
    for (const file of ["memory.max", "memory.swap.max", "cpu.max", "cpu.weight", "pids.max", "cgroup.procs"]) {
      put(`${path}/${file}`);
    }
  };

  test("v2: controllers are handed down from the top to the parent, not to the leaf; limits are on the leaf", () => {
    for (const path of ["", "styr/", "styr/pod/", "styr/pod/c/"]) put(`${path}cgroup.subtree_control`);
    v2Files("styr/pod/c");
    v2().ensure("pod/c", { cpuRequestMillis: 1000, cpuLimitMillis: 1500, memoryLimitBytes: 100_000_000 });
    for (const path of ["", "styr/", "styr/pod/"]) {
      assert.equal(read(`${path}cgroup.subtree_control`), "+cpu +memory +pids");
    }
    assert.equal(read("styr/pod/c/cgroup.subtree_control"), "");
    assert.deepEqual(
      ["cpu.max", "cpu.weight", "memory.max", "memory.swap.max", "pids.max"].map((file) => read(`styr/pod/c/${file}`)),
      ["150000 100000", "39", "100000000", "0", "8192"],
    );
  });

  test("v2: what is handed down already is not written again", () => {
    put("cgroup.subtree_control", "cpu io memory pids");
    put("styr/cgroup.subtree_control", "cpu\n");
    v2().ensure("pod");
    assert.equal(read("cgroup.subtree_control"), "cpu io memory pids");
    assert.equal(read("styr/cgroup.subtree_control"), "+memory +pids");
  });

  test("v2: kill writes cgroup.kill; without it, it freezes, kills and thaws", () => {
    put("styr/pod/cgroup.kill");
    put("styr/pod/cgroup.freeze");
    v2().killOnce("pod");
    assert.deepEqual([read("styr/pod/cgroup.kill"), read("styr/pod/cgroup.freeze")], ["1", ""]);
    rmSync(join(dir, "styr/pod/cgroup.kill"));
    v2().killOnce("pod");
    assert.equal(read("styr/pod/cgroup.freeze"), "0", "never left frozen");
  });

  test("v2: usage without idle file pages, and kills for memory", () => {
    put("styr/pod/cpu.stat", "usage_usec 1500\nuser_usec 1000\n");
    put("styr/pod/memory.current", "5000\n");
    put("styr/pod/memory.stat", "anon 10\ninactive_file 2000\n");
    put("styr/pod/memory.events", "oom 3\noom_kill 2\n");
    assert.deepEqual(v2().usage("pod"), { cpuNanos: 1_500_000, memoryBytes: 3000 });
    assert.equal(v2().oomKills("pod"), 2);
    assert.equal(v2().usage("other"), undefined);
  });

  test("all of it goes, also where only an engine has made cgroups for its containers; nothing of others does", async () => {
    for (const path of ["v2/styr/pod", "v2/styr-keeper", "blkio/styr/c1", "blkio/docker"])
      mkdirSync(join(dir, path), { recursive: true });
    const unified: Hierarchy = { version: 2, controllers: [], path: join(dir, "v2") };
    const others = [join(dir, "blkio"), join(dir, "cpuset")];
    await treeOf({ hierarchies: [unified], tracking: unified, others }).removeAll(["keeper"]);
    assert.deepEqual([readdirSync(join(dir, "v2")), readdirSync(join(dir, "blkio"))], [[], ["docker"]]);
  });

  test("a limit that the kernel does not have is a failure with words, not a limit that is not kept", () => {
    put("cgroup.subtree_control", "cpu memory pids");
    assert.throws(() => v2().ensure("pod", { memoryLimitBytes: 1e8 }), /cannot set memory.max .* does not have it/);
  });

  test("v1: a quota above the root's is cut to it, because the kernel refuses it", () => {
    const cpu: Hierarchy = { version: 1, controllers: ["cpu"], path: dir };
    for (const file of ["cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us"]) put(`styr/pod/${file}`);
    put("styr/cpu.cfs_quota_us", "150000\n");
    treeOf({ hierarchies: [cpu], tracking: cpu }).ensure("pod", { cpuLimitMillis: 4000 });
    assert.equal(read("styr/pod/cpu.cfs_quota_us"), "150000");
  });

  test("pids: of all levels, each once, without those of other pid namespaces", () => {
    put("styr/pod/cgroup.procs", "7\n0\n");
    put("styr/pod/a/cgroup.procs", "12\n7\n");
    put("styr/pod/b/cgroup.procs", "");
    assert.deepEqual(v2().pids("pod"), [7, 12]);
    assert.deepEqual(v2().children("pod"), ["a", "b"]);
  });

  for (const name of ["", "../x", "a/../b", "/a", "a//b", "a/", "a\nb", "a\0"]) {
    test(`${JSON.stringify(name)} names no cgroup`, () => {
      assert.throws(() => v2().ensure(name), /cannot name a cgroup/);
    });
  }
});
