import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ExecOrder, type LaunchRequest, planLaunch } from "./launch-plan.ts";

describe("launch plan", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "styr-plan-"));
  });
  after(() => rmSync(dir, { recursive: true }));

  const orders: ExecOrder[] = [];
  const plan = (more: Partial<LaunchRequest>) =>
    planLaunch(
      { argv: ["/bin/true", "a b", "$HOME"], env: { PATH: "/bin" }, cwd: "/", cgroup: "c", ...more },
      { file: "/x/exec-as", writeOrder: (order) => `/orders/${orders.push(order)}` },
    );
  const words = (more: Partial<LaunchRequest>) => {
    const { file, args } = plan(more);
    return [file.slice(file.lastIndexOf("/") + 1), ...args].join(" ");
  };
  const file = (name: string, text: string, mode = 0o755): string => {
    writeFileSync(join(dir, name), text);
    chmodSync(join(dir, name), mode);
    return join(dir, name);
  };

  test("root without limits: the program itself, arguments untouched", () => {
    const { file: program, args, argv0 } = plan({ argv0: "-true" });
    assert.deepEqual([program, args, argv0], ["/bin/true", ["a b", "$HOME"], "-true"]);
  });

  test("limits, then identity, then the program", () => {
    const rlimits = { nofile: { soft: 10, hard: 20 }, core: { soft: 0, hard: 0 } };
    assert.equal(
      words({ rlimits, uid: 65534, gid: 65534 }),
      "prlimit --core=0:0 --nofile=10:20 -- /usr/bin/setpriv --reuid=65534 --regid=65534 --groups=65534 -- /bin/true a b $HOME",
    );
  });

  test("a variable that makes the loader load code is not given to what still runs as root", () => {
    const made = plan({
      user: "nobody",
      env: { PATH: "/bin", LD_PRELOAD: "/tmp/evil.so", GLIBC_TUNABLES: "x", A: "1" },
    });
    assert.deepEqual(made.env, { PATH: "/bin", A: "1" });
    const text = made.args.join(" ");
    assert.match(text, /--reuid=65534 .* -- \/usr\/bin\/env LD_PRELOAD=\/tmp\/evil.so GLIBC_TUNABLES=x \/bin\/true/);
  });

  test("another argv[0] for another user goes through exec-as, its environment through the order", () => {
    assert.equal(words({ argv0: "-zero", user: "nobody" }), `exec-as /orders/${orders.length}`);
    const { file: program, argv, env, identity } = orders.at(-1) ?? assert.fail("no order");
    assert.deepEqual([program, argv[0], env, identity.uid], ["/bin/true", "-zero", { PATH: "/bin" }, 65534]);
  });

  test("a terminal comes from script, with exec-as where script expects a shell", () => {
    const made = plan({ terminal: { columns: 80, rows: 24 } });
    assert.deepEqual(made.env, { SHELL: "/x/exec-as" });
    assert.match(
      [made.file, ...made.args].join(" "),
      /script --quiet --flush --return --command \/orders\/\d+ \/dev\/null$/,
    );
  });

  const refusals: { why: string; more: () => Partial<LaunchRequest>; code: number; says: RegExp }[] = [
    {
      why: "text without #!",
      more: () => ({ argv: [file("text", "echo hi\n")] }),
      code: 203,
      says: /exec format error/,
    },
    { why: "empty file", more: () => ({ argv: [file("empty", "")] }), code: 203, says: /exec format error/ },
    {
      why: "interpreter gone",
      more: () => ({ argv: [file("s", "#!/no/sh\n")] }),
      code: 203,
      says: /interpreter \/no\/sh/,
    },
    {
      why: "executable for its owner alone",
      more: () => ({ argv: [file("mine", "#!/bin/sh\n", 0o700)], user: "nobody" }),
      code: 203,
      says: /permission denied \(mode 700\)/,
    },
    { why: "no command", more: () => ({ argv: [] }), code: 203, says: /no command/ },
    { why: "unknown limit", more: () => ({ rlimits: { bogus: { soft: 1, hard: 1 } } }), code: 203, says: /"bogus"/ },
    { why: "cwd is a file", more: () => ({ cwd: "/etc/passwd" }), code: 200, says: /not a directory/ },
  ];
  for (const { why, more, code, says } of refusals) {
    test(`${why}: ${code}`, () => {
      assert.throws(
        () => plan(more()),
        (error: Error & { exitCode?: number }) => {
          assert.equal(error.exitCode, code);
          assert.match(error.message, says);
          return true;
        },
      );
    });
  }

  test("a relative file is found from the working directory, a bare name in PATH, the first that can be executed", () => {
    const program = file("tool", "#!/bin/sh\n");
    assert.equal(plan({ argv: ["./tool"], cwd: dir }).file, program);
    assert.equal(plan({ argv: ["tool"], env: { PATH: `/no/such:${dir}` } }).file, program);
  });
});
