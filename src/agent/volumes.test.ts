import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Pod, Volume } from "../model/pod.ts";
import { FileVolumes } from "./volumes.ts";

function podWith(volumes: readonly Volume[], uid = "u1"): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "d", uid, resourceVersion: "1", generation: 1, creationTimestamp: "" },
    spec: { containers: [{ name: "c", image: "i" }], volumes },
    status: { phase: "Pending" },
  };
}

async function inFolder(work: (folder: string, volumes: FileVolumes) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "styrmann-volumes-"));
  try {
    await work(folder, new FileVolumes(join(folder, "pods"), { canMount: process.getuid?.() === 0 }));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("volumes", () => {
  test("emptyDir is any user's to write, keeps what is in it, and goes with the pod", () =>
    inFolder(async (_folder, volumes) => {
      const pod = podWith([{ name: "v", emptyDir: {} }]);
      const path = (await volumes.make(pod, {})).get("v") ?? "";
      assert.equal((await stat(path)).mode & 0o7777, 0o777);
      await writeFile(join(path, "kept"), "1");
      await volumes.make(pod, {});
      assert.equal(await readFile(join(path, "kept"), "utf8"), "1");
      assert.deepEqual(await volumes.pods(), ["u1"]);
      await volumes.remove("u1");
      await volumes.remove("u1");
      assert.deepEqual(await volumes.pods(), []);
    }));

  test("secrets are files of mode 0644 that nobody on the host gets to, renewed and pruned", () =>
    inFolder(async (_folder, volumes) => {
      const pod = podWith([{ name: "v", secret: { secretName: "s" } }]);
      const path = (await volumes.make(pod, { "Secret/s": { a: "1", b: "2" } })).get("v") ?? "";
      assert.equal((await stat(join(path, "a"))).mode & 0o777, 0o644);
      assert.equal((await stat(join(path, ".."))).mode & 0o777, 0o700);
      await volumes.make(pod, { "Secret/s": { a: "3" } });
      assert.deepEqual(await readdir(path), ["a"]);
      assert.equal(await readFile(join(path, "a"), "utf8"), "3");
    }));

  test("items: the keys that are named, at their paths, with their modes; a group may read", () =>
    inFolder(async (_folder, volumes) => {
      const items = [
        { key: "a", path: "deep/er/a.conf" },
        { key: "b", path: "b", mode: 0o600 },
      ];
      const secret = { secretName: "s", defaultMode: 0o440, items };
      const pod = podWith([{ name: "v", secret }]);
      const values = { "Secret/s": { a: "1", b: "2", c: "3" } };
      const path = (await volumes.make(pod, values)).get("v") ?? "";
      const mode = async (name: string) => ((await stat(join(path, name))).mode & 0o777).toString(8);
      assert.deepEqual((await readdir(path)).toSorted(), ["b", "deep"]);
      assert.equal(await readFile(join(path, "deep/er/a.conf"), "utf8"), "1");
      assert.deepEqual([await mode("deep/er/a.conf"), await mode("b")], ["440", "600"]);
      const fsGroup = process.getgid?.() ?? 0;
      await volumes.make({ ...pod, spec: { ...pod.spec, securityContext: { fsGroup } } }, values);
      assert.equal(await mode("b"), "640");
      const lacking = volumes.make(pod, { "Secret/s": { a: "1" } });
      await assert.rejects(lacking, /volume "v": references non-existent config key: b/);
      const fewer = podWith([{ name: "v", secret: { ...secret, items: items.slice(1) } }]);
      await volumes.make(fewer, values);
      assert.deepEqual(await readdir(path), ["b"]);
      const optional = podWith([{ name: "v", secret: { ...secret, optional: true } }]);
      await volumes.make(optional, {});
      assert.deepEqual(await readdir(path), []);
    }));

  test(
    "a memory volume is a tmpfs where that may be mounted, and is unmounted with the pod",
    { skip: process.getuid?.() !== 0 && "not root" },
    () =>
      inFolder(async (_folder, volumes) => {
        const pod = podWith([{ name: "v", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }]);
        const path = (await volumes.make(pod, {})).get("v") ?? "";
        await volumes.make(pod, {});
        const mounts = (await readFile("/proc/self/mountinfo", "utf8"))
          .split("\n")
          .filter((line) => line.includes(` ${path} `));
        assert.equal(mounts.length, 1);
        assert.match(mounts[0] ?? "", /- tmpfs .*size=1024k/);
        await volumes.remove("u1");
        assert.doesNotMatch(await readFile("/proc/self/mountinfo", "utf8"), new RegExp(path));
      }),
  );

  test("hostPath types are checked, and the missing made where they say so", () =>
    inFolder(async (folder, volumes) => {
      const at = (path: string, type: string) =>
        volumes.make(podWith([{ name: "v", hostPath: { path: join(folder, path), type } }]), {});
      await assert.rejects(at("no", "Directory"), /hostPath type check failed: .*\/no does not exist/);
      await at("made", "DirectoryOrCreate");
      await at("sub/file", "FileOrCreate");
      await at("made", "Directory");
      await at("sub/file", "File");
      await assert.rejects(at("made", "File"), /is not a file/);
      await assert.rejects(at("sub/file", "Socket"), /is not a socket/);
      await assert.rejects(at("made", "Folder"), /type "Folder" is not known/);
      await assert.rejects(volumes.make(podWith([{ name: "v", hostPath: { path: "/a/../b" } }]), {}), /without "\.\."/);
    }));

  test("a secret's file is created, not written through a link that a container put in its way", () =>
    inFolder(async (folder, volumes) => {
      const pod = podWith([{ name: "v", secret: { secretName: "s" } }]);
      const path = (await volumes.make(pod, { "Secret/s": { a: "1" } })).get("v") ?? "";
      await writeFile(join(folder, "host"), "kept");
      const flip = spawn("sh", ["-c", `while :; do ln -sf "$1/host" "$2/.partial.a"; done`, "sh", folder, path]);
      try {
        for (let count = 0; count < 300; count++) {
          await volumes.make(pod, { "Secret/s": { a: "2" } }).catch((error: NodeJS.ErrnoException) => {
            assert.equal(error.code, "EEXIST");
          });
        }
      } finally {
        flip.kill("SIGKILL");
        await once(flip, "close");
      }
      assert.equal(await readFile(join(folder, "host"), "utf8"), "kept");
    }));

  test("last words: a file that any user may write, of which the end is read; those of old runs go, and all with the pod", () =>
    inFolder(async (folder, volumes) => {
      const pod = podWith([]);
      const path = await volumes.terminationFile(pod, "c", 0);
      assert.equal((await stat(path)).mode & 0o777, 0o666);
      assert.equal(await volumes.terminationMessage("u1", "c", 0), undefined, "nothing was written");
      await writeFile(path, `${"x".repeat(5000)}end`);
      await volumes.terminationFile(pod, "c", 0);
      const message = (await volumes.terminationMessage("u1", "c", 0)) ?? "";
      assert.deepEqual([message.length, message.slice(-4)], [4096, "xend"]);
      await volumes.terminationFile(pod, "c", 2);
      assert.equal(await volumes.terminationMessage("u1", "c", 0), undefined, "two runs later");
      await volumes.remove("u1");
      assert.deepEqual(await readdir(join(folder, "pods")), []);
    }));

  test("names cannot lead out of the state directory", () =>
    inFolder(async (_folder, volumes) => {
      await assert.rejects(volumes.make(podWith([{ name: ".subpaths", emptyDir: {} }]), {}), /is not a volume name/);
      await assert.rejects(volumes.make(podWith([{ name: "../x", emptyDir: {} }]), {}), /is not a volume name/);
      await assert.rejects(volumes.make(podWith([{ name: "v", emptyDir: {} }], "../u"), {}), /is not a uid/);
      await assert.rejects(
        volumes.make(podWith([{ name: "v", secret: { secretName: "s" } }]), { "Secret/s": { "../x": "1" } }),
        /is not a file name/,
      );
      await assert.rejects(volumes.remove(".."), /is not a uid/);
    }));
});
