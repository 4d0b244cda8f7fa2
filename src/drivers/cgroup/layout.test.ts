import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseLayout } from "./layout.ts";

const v1 = (path: string, options: string) => `30 24 0:25 / ${path} rw,relatime shared:9 - cgroup cgroup rw,${options}`;
const v2 = (path: string) => `31 24 0:26 / ${path} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate`;
const none = () => [];

describe("cgroup layout", () => {
  test("v2 alone: one hierarchy with the controllers that it lists and we use", () => {
    const layout = parseLayout(v2("/sys/fs/cgroup"), () => ["cpuset", "cpu", "io", "memory", "pids"]);
    assert.deepEqual(layout?.hierarchies, [
      { version: 2, controllers: ["cpu", "memory", "pids"], path: "/sys/fs/cgroup" },
    ]);
    assert.equal(layout?.tracking, layout?.hierarchies[0]);
  });

  test("hybrid: v2 without controllers tracks, v1 limits, and systemd's own hierarchy counts", () => {
    const lines = [
      v1("/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct"),
      v1("/sys/fs/cgroup/memory", "memory"),
      v1("/sys/fs/cgroup/systemd", "xattr,name=systemd"),
      v1("/sys/fs/cgroup/devices", "devices"),
      v2("/sys/fs/cgroup/unified"),
    ];
    const layout = parseLayout(lines.join("\n"), none);
    assert.deepEqual(
      layout?.hierarchies.map(({ path, controllers }) => [path.slice(15), ...controllers]),
      [["cpu,cpuacct", "cpu", "cpuacct"], ["memory", "memory"], ["systemd"], ["unified"]],
    );
    assert.equal(layout?.tracking.version, 2);
    assert.deepEqual(layout?.others, ["/sys/fs/cgroup/devices"], "of an engine's containers");
  });

  test("v1 alone: the freezer tracks, because it can stop what forks", () => {
    const layout = parseLayout([v1("/c/cpu", "cpu"), v1("/c/freezer", "freezer")].join("\n"), none);
    assert.deepEqual(layout?.tracking.controllers, ["freezer"]);
  });

  test("a hierarchy mounted twice is taken once, at the shorter path; octal escapes are undone", () => {
    const layout = parseLayout([v1("/other/place/cpu", "cpu"), v1("/a\\040b", "cpu")].join("\n"), none);
    assert.deepEqual(
      layout?.hierarchies.map(({ path }) => path),
      ["/a b"],
    );
  });

  test("no cgroup mount: undefined", () => {
    assert.equal(parseLayout("22 1 8:1 / / rw - ext4 /dev/vda rw\n\nnonsense", none), undefined);
  });
});
