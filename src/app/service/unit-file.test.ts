import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readSettings } from "../settings.ts";
import { serviceName, serviceText } from "./service.ts";
import { serviceWords } from "./service-words.ts";
import { unitFile } from "./unit-file.ts";

const AGENT = { clusterId: "c", nodeName: "web-1", role: "agent", servers: [] } as const;

describe("the service", () => {
  test("stops styr alone, so that pods and their keeper live on, and starts it again whatever happens", () => {
    const text = serviceText({ stateDir: "/var/lib/styrmann", isDefaultState: true, words: ["up"] });
    for (const line of ["KillMode=process", "Restart=always", "StartLimitIntervalSec=0", "Delegate=yes"])
      assert.ok(text.split("\n").includes(line), line);
    assert.doesNotMatch(text, /^(?:Limit|OOMScore|Private|Protect)/m, "pods would inherit it");
  });

  test("is one per state directory", () => {
    assert.equal(serviceName({ stateDir: "/var/lib/styrmann", isDefaultState: true }), "styrmann.service");
    assert.equal(serviceName({ stateDir: "/srv/a b", isDefaultState: false }), "styrmann-srv-a-b.service");
  });

  test("says where its state is when only STYR_STATE did: systemd does not have that", () => {
    const named = readSettings({}, { STYR_STATE: "/srv/styr" }, 0);
    assert.deepEqual([named.stateDir, named.isDefaultState], ["/srv/styr", false]);
    assert.equal(serviceName(named), "styrmann-srv-styr.service");
    const given = readSettings({ state: "/var/lib/styrmann" }, { STYR_STATE: "/srv/styr" }, 0);
    assert.deepEqual([given.stateDir, given.isDefaultState], ["/var/lib/styrmann", true]);
  });

  test("quotes what systemd would read as its own", () => {
    const text = unitFile({ command: ["/opt/styr", "up", "--label", 'a="b c"', "100%", "$HOME"], description: "x" });
    assert.ok(text.includes(String.raw`ExecStart=/opt/styr up --label "a=\"b c\"" 100%% $$HOME`), text);
  });

  const has = spawnSync("systemd-analyze", ["--version"]).status === 0;
  test("is a unit that systemd takes without a word", {
    skip: has ? false : "NOT RUN: there is no systemd-analyze",
  }, () => {
    const dir = mkdtempSync(join(tmpdir(), "styr-unit-"));
    const file = join(dir, "styrmann-test.service");
    writeFileSync(
      file,
      serviceText({ stateDir: "/var/lib/styrmann", isDefaultState: true, words: ["up", "--label", "a=b c"] }),
    );
    const { stderr, status } = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
    rmSync(dir, { recursive: true });
    assert.equal(
      stderr
        .split("\n")
        .filter((line) => line.includes("styrmann-test"))
        .join("\n"),
      "",
    );
    assert.equal(status, 0);
  });

  for (const { why, membership, options, words } of [
    {
      why: "a host that never joined is a cluster of its own",
      membership: undefined,
      options: {},
      words: "up --no-install",
    },
    {
      why: "one that joined as an agent is one",
      membership: AGENT,
      options: { label: ["zone=a"] },
      words: "agent --label zone=a --no-install",
    },
    {
      why: "an agent has nothing of servers",
      membership: AGENT,
      options: { listen: "0.0.0.0:1" },
      words: "agent --no-install",
    },
    {
      why: "one that joined as a server is both",
      membership: { ...AGENT, role: "server" },
      options: { listen: "0.0.0.0:1", tlsName: ["a.example", "b"] },
      words: "up --listen 0.0.0.0:1 --tls-name a.example --tls-name b --no-install",
    },
    {
      why: "or a server alone",
      membership: { ...AGENT, role: "server" },
      options: { agent: false, label: ["a=b"] },
      words: "server",
    },
  ] as const)
    test(`runs what the host is: ${why}`, () => assert.equal(serviceWords(membership, options).join(" "), words));
});
