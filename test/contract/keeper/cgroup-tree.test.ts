/** The cgroup tree against this kernel: each kind of hierarchy that is mounted here, alone and together. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { CgroupTree } from "../../../src/drivers/cgroup/cgroup-tree.ts";
import { type CgroupLayout, detectLayout } from "../../../src/drivers/cgroup/layout.ts";
import { UsageMeter } from "../../../src/drivers/cgroup/usage-meter.ts";
import { KEEPER_CGROUPS } from "../../../src/drivers/keeper/launcher.ts";
import { eventually } from "../driver/observer.ts";
import { cannotKeepProcesses } from "./node-place.ts";

const MIB = 1024 * 1024;

describe("cgroup tree on this kernel", { skip: cannotKeepProcesses() ?? false }, () => {
  const trees: CgroupTree[] = [];
  after(async () => {
    for (const tree of trees) await tree.removeAll(KEEPER_CGROUPS);
  });
  const treeOf = (name: string, layout: CgroupLayout): CgroupTree => {
    const tree = new CgroupTree({ root: `styr-test-tree-${name}-${process.pid}`, layout });
    trees.push(tree);
    return tree;
  };
  /** A shell that forks without end, placed while it waits for its input. */
  const forkerIn = (tree: CgroupTree, name: string): ChildProcess => {
    tree.ensure(name);
    const child = spawn("sh", ["-c", "read go; while :; do (setsid sleep 100 &); sleep 0.01; done"], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    tree.place(name, child.pid ?? 0);
    child.stdin.end("go\n");
    return child;
  };

  const whole = cannotKeepProcesses() ? undefined : detectLayout();
  const v1 = whole?.hierarchies.filter(({ version }) => version === 1) ?? [];
  const freezer = v1.find(({ controllers }) => controllers.includes("freezer"));
  const v2 = whole?.hierarchies.find(({ version }) => version === 2);
  const layouts: { name: string; layout: CgroupLayout | undefined; missing: string }[] = [
    { name: "all", layout: whole, missing: "no cgroups" },
    {
      name: "v1",
      layout: freezer ? { hierarchies: v1, tracking: freezer } : undefined,
      missing: "this host has no v1 freezer",
    },
    { name: "v2", layout: v2 ? { hierarchies: [v2], tracking: v2 } : undefined, missing: "this host has no cgroup v2" },
  ];
  for (const { name, layout, missing } of layouts) {
    describe(name, { skip: layout ? false : `NOT RUN: ${missing}` }, () => {
      test("kill leaves nothing of what forks without end, and remove nothing of the cgroup", async () => {
        const tree = treeOf(name, layout ?? assert.fail());
        forkerIn(tree, "pod/forker");
        await eventually("ten processes", async () => tree.pids("pod").length >= 10 || undefined);
        await tree.kill("pod/forker");
        assert.deepEqual(tree.pids("pod"), []);
        await tree.remove("pod");
        assert.equal(tree.exists("pod"), false);
        await tree.remove("pod");
      });

      test("a signal reaches every process of the cgroup and below", async () => {
        const tree = treeOf(name, layout ?? assert.fail());
        for (const each of ["pod/a", "pod/b"]) {
          tree.ensure(each);
          const child = spawn("sleep", ["1000"], { stdio: "ignore" });
          tree.place(each, child.pid ?? 0);
        }
        assert.equal(tree.pids("pod").length, 2);
        tree.signal("pod", 15);
        await eventually("an empty cgroup", async () => tree.pids("pod").length === 0 || undefined);
      });
    });
  }

  test("limits and the node's reservation are what the kernel has", { skip: memoryIsV1(whole) }, () => {
    const tree = treeOf("limits", whole ?? assert.fail());
    tree.reserve({ cpuMillis: 1500, memoryBytes: 512 * MIB });
    tree.ensure("pod/c", { cpuRequestMillis: 500, cpuLimitMillis: 8000, memoryLimitBytes: 64 * MIB });
    const read = (controller: string, name: string, file: string) => {
      const mount = whole?.hierarchies.find(({ controllers }) => controllers.includes(controller))?.path ?? "";
      return readFileSync(join(mount, tree.root, name, file), "utf8").trim();
    };
    assert.equal(read("memory", "", "memory.limit_in_bytes"), String(512 * MIB));
    assert.equal(read("memory", "pod/c", "memory.limit_in_bytes"), String(64 * MIB));
    assert.equal(read("cpu", "", "cpu.cfs_quota_us"), "150000");
    assert.equal(read("cpu", "pod/c", "cpu.cfs_quota_us"), "150000", "not more than the root has");
    assert.equal(read("cpu", "pod/c", "cpu.shares"), "512");
    assert.equal(read("pids", "pod/c", "pids.max"), "8192");
    tree.ensure("pod/c", { memoryLimitBytes: 128 * MIB });
    assert.equal(read("memory", "pod/c", "memory.limit_in_bytes"), String(128 * MIB), "raised");
    tree.ensure("pod/c");
    assert.equal(read("memory", "pod/c", "memory.limit_in_bytes"), String(128 * MIB), "kept");
    tree.ensure("pod/c", {});
    assert.equal(read("cpu", "pod/c", "cpu.cfs_quota_us"), "-1", "lifted");
  });

  test("usage: a busy process uses about one CPU, averaged since the last reading", async () => {
    const tree = treeOf("usage", whole ?? assert.fail());
    tree.ensure("pod/busy", { cpuLimitMillis: 500 });
    const child = spawn("sh", ["-c", "read go; while :; do :; done"], { stdio: ["pipe", "ignore", "ignore"] });
    tree.place("pod/busy", child.pid ?? 0);
    child.stdin.end("go\n");
    const meter = new UsageMeter(tree);
    assert.equal(meter.read("pod/busy")?.cpuMillis, 0, "nothing to average over yet");
    const [began, usedMs] = [performance.now(), processorMs(child.pid)];
    await eventually("half a second", async () => performance.now() - began > 500 || undefined);
    const usage = meter.read("pod/busy");
    // On a busy machine it gets less than it is allowed.
    const got = (1000 * (processorMs(child.pid) - usedMs)) / (performance.now() - began);
    assert.ok(
      usage && usage.cpuMillis > Math.min(100, got / 2) && usage.cpuMillis < 750,
      `${JSON.stringify(usage)}, ${got}`,
    );
    assert.ok(usage.cpuMillis > 0 && usage.memoryBytes > 0, JSON.stringify(usage));
    await tree.kill("pod/busy");
    assert.equal(meter.read("pod/none"), undefined);
  });

  test("everything is gone in the end", async () => {
    const tree = treeOf("gone", whole ?? assert.fail());
    forkerIn(tree, "a/b");
    tree.placeBeside("keeper", spawn("sleep", ["0.1"], { stdio: "ignore" }).pid ?? 0);
    await tree.removeAll(KEEPER_CGROUPS);
    for (const { path } of whole?.hierarchies ?? []) {
      assert.ok(!existsSync(join(path, tree.root)) && !existsSync(join(path, `${tree.root}-keeper`)), path);
    }
  });
});

/** proc(5): the 14th and 15th field of stat, in hundredths of a second. */
function processorMs(pid = 0): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return 10 * ((user ?? 0) + (system ?? 0));
}

function memoryIsV1(layout: CgroupLayout | undefined): string | false {
  const memory = layout?.hierarchies.find(({ controllers }) => controllers.includes("memory"));
  return memory?.version === 1 ? false : "NOT RUN: the memory controller is not v1 here";
}
