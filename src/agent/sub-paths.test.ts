import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Pod, Volume } from "../model/pod.ts";
import { ConfigurationError } from "./configuration-error.ts";
import { FileVolumes } from "./volumes.ts";

const IS_ROOT = process.getuid?.() === 0;

function podWith(volume: Volume, subPath: string): Pod {
  const volumeMounts = [{ name: "v", mountPath: "/m", subPath }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "d", uid: "u1", resourceVersion: "1", generation: 1, creationTimestamp: "" },
    spec: { containers: [{ name: "c", image: "i", volumeMounts }], volumes: [volume] },
    status: { phase: "Pending" },
  };
}

interface Place {
  readonly folder: string;
  /** Where the volume is on the host. */
  readonly base: string;
  readonly volumes: FileVolumes;
  /** What the container of a pod with this subPath would mount. */
  at(subPath: string): Promise<string>;
}

async function inVolume(
  work: (place: Place) => Promise<void>,
  {
    canMount = IS_ROOT,
    volume = { name: "v", emptyDir: {} },
    values = {} as Record<string, Record<string, string>>,
  } = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "styrmann-subpaths-"));
  const volumes = new FileVolumes(join(folder, "pods"), { canMount });
  const at = async (subPath: string) => {
    const pod = podWith(volume, subPath);
    const [container] = pod.spec.containers;
    assert(container);
    return (await volumes.subPaths(pod, container, await volumes.make(pod, values))).get(0) ?? "";
  };
  try {
    const base = (await volumes.make(podWith(volume, ""), values)).get("v") ?? "";
    await mkdir(join(folder, "host"));
    await writeFile(join(folder, "host", "treasure"), "");
    await work({ folder, base, volumes, at });
  } finally {
    await volumes.remove("u1");
    await rm(folder, { recursive: true });
  }
}

const mountCount = async (folder: string) =>
  (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line.includes(` ${folder}/`)).length;

describe("subPath", () => {
  test("a missing directory is made for whoever may write to the volume; a second run finds the same", () =>
    inVolume(async ({ at, base, folder }) => {
      const path = await at("a/b");
      await writeFile(join(path, "kept"), "1");
      assert.equal(await readFile(join(base, "a/b/kept"), "utf8"), "1");
      assert.equal((await stat(join(base, "a/b"))).mode & 0o7777, 0o777);
      assert.equal(await at("/a//./b/"), path);
      assert.equal(await readFile(join(path, "kept"), "utf8"), "1");
      if (IS_ROOT) assert.equal(await mountCount(folder), 1);
    }));

  test("a file is mounted as one; what came in its place is what the next run gets", () =>
    inVolume(async ({ at, base, folder }) => {
      await writeFile(join(base, "f"), "one");
      assert.equal(await readFile(await at("f"), "utf8"), "one");
      await rm(join(base, "f"));
      await writeFile(join(base, "other"), "");
      await writeFile(join(base, "f"), "two");
      assert.equal(await readFile(await at("f"), "utf8"), "two");
      if (IS_ROOT) assert.equal(await mountCount(folder), 1);
    }));

  test("what is mounted goes with the pod, and what is in it on the host stays", () =>
    inVolume(async ({ folder, volumes }) => {
      const outside = { name: "v", hostPath: { path: join(folder, "host") } };
      const pod = podWith(outside, ".");
      const [container] = pod.spec.containers;
      assert(container);
      await volumes.subPaths(pod, container, await volumes.make(pod, {}));
      await volumes.remove("u1");
      assert.equal(await mountCount(folder), 0);
      assert.deepEqual(await readdir(join(folder, "host")), ["treasure"]);
      assert.deepEqual(await volumes.pods(), []);
    }));

  const links: readonly (readonly [string, string, string])[] = [
    ["the last component", "x", "x"],
    ["the first component", "x", "x/made/deep"],
    ["one in the middle", "d/x", "d/x/made"],
    ["the last of several", "d/e/x", "d/e/x"],
  ];
  for (const isRelative of [false, true])
    for (const [which, link, subPath] of links)
      test(`${isRelative ? "a relative" : "an absolute"} link to the host as ${which} is refused, and nothing is made there`, () =>
        inVolume(async ({ at, base, folder }) => {
          await mkdir(join(base, link, ".."), { recursive: true });
          const up = "../".repeat(link.split("/").length + 2);
          await symlink(isRelative ? `${up}host` : join(folder, "host"), join(base, link));
          await assert.rejects(at(subPath), ConfigurationError);
          assert.deepEqual(await readdir(join(folder, "host")), ["treasure"]);
          assert.equal(await mountCount(folder), 0);
        }));

  test("a link to nothing yet is refused, and what it names is not made", () =>
    inVolume(async ({ at, base, folder }) => {
      await symlink(join(folder, "new"), join(base, "x"));
      await assert.rejects(at("x/y"), ConfigurationError);
      await assert.rejects(stat(join(folder, "new")), { code: "ENOENT" });
    }));

  test("`..`, a way through a file, and a key that a secret has not are refused in words", async () => {
    await inVolume(async ({ at, base }) => {
      await assert.rejects(at("a/../../host"), /subPath "a\/..\/..\/host" of volume "v" leaves its volume/);
      await writeFile(join(base, "f"), "");
      await assert.rejects(at("f/x"), /goes through something that is not a directory/);
    });
    await inVolume(
      async ({ at }) => {
        assert.equal(await readFile(await at("key"), "utf8"), "1");
        await assert.rejects(at("other"), /subPath "other" of volume "v" is not there/);
      },
      { volume: { name: "v", secret: { secretName: "s" } }, values: { "Secret/s": { key: "1" } } } as never,
    );
  });

  test("a link that stays in the volume is followed as root, and refused where nothing can be mounted", async () => {
    const planted = async ({ base }: Place) => {
      await mkdir(join(base, "releases/3"), { recursive: true });
      await writeFile(join(base, "releases/3/here"), "");
      await symlink("releases/3", join(base, "current"));
    };
    await inVolume(
      async (place) => {
        await planted(place);
        await assert.rejects(place.at("current"), /has a link in it/);
        assert.equal(await place.at("releases/3"), join(place.base, "releases/3"));
      },
      { canMount: false },
    );
    if (!IS_ROOT) return;
    await inVolume(async (place) => {
      await planted(place);
      assert.deepEqual(await readdir(await place.at("current")), ["here"]);
    });
  });

  test("a directory that flips with a link to the host never leads there", { skip: !IS_ROOT && "not root" }, () =>
    inVolume(async ({ at, base, folder }) => {
      const script = `cd "$1"; while :; do rm -rf d; ln -s "$2" d; rm -f d; mkdir d; done`;
      const flip = spawn("sh", ["-c", script, "sh", base, join(folder, "host")], { stdio: "ignore" });
      const seen = { mounted: 0, refused: 0 };
      const until = Date.now() + 2000;
      try {
        while (Date.now() < until || seen.mounted === 0 || seen.refused === 0) {
          assert(Date.now() < until + 30_000, `only one of both was seen: ${JSON.stringify(seen)}`);
          const path = await at(seen.mounted % 2 === 0 ? "d" : "d/deep").catch((error: Error) => {
            assert(error instanceof ConfigurationError, error.stack);
            return undefined;
          });
          if (path === undefined) seen.refused++;
          else {
            assert(!(await readdir(path)).includes("treasure"), "the host's folder was mounted");
            seen.mounted++;
          }
        }
      } finally {
        flip.kill("SIGKILL");
        await once(flip, "close");
      }
      assert.deepEqual(await readdir(join(folder, "host")), ["treasure"]);
    }),
  );
});
