import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { dockerRunNames, withDockerFlags } from "./docker-run.ts";
import { parseUnitFile } from "./parse-unit-file.ts";
import { readService } from "./read-service.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { unitLimits, unitRequests } from "./unit-requests.ts";

function read(text: string, name = "hello.service") {
  const { options, lines } = parseUnitFile(text);
  return readService(options, name, { lines });
}

function serviceOf(text: string, name?: string): ServiceSettings {
  return read(`[Service]\nExecStart=/bin/true\n${text}`, name).service;
}

describe("what a unit says that is not done", () => {
  const rows: readonly [why: string, text: string, message: string][] = [
    [
      "a key in the wrong case, as in the first nginx-cache.service",
      "[Service]\nExecStart=/bin/true\nExecStartPRE=/bin/false\n",
      'hello.service:3: unknown key "ExecStartPRE" in [Service] is ignored; did you mean "ExecStartPre"?',
    ],
    [
      "a typing mistake",
      "[Service]\nExecStart=/bin/true\nRestrat=always\n",
      'hello.service:3: unknown key "Restrat" in [Service] is ignored; did you mean "Restart"?',
    ],
    [
      "a key of another section",
      "[Unit]\nEnvironment=A=b\n[Service]\nExecStart=/bin/true\n",
      'hello.service:2: unknown key "Environment" in [Unit] is ignored; it belongs in [Service]',
    ],
    [
      "a section in the wrong case",
      "[Service]\nExecStart=/bin/true\n[x-fleet]\nGlobal=true\n",
      'hello.service:4: unknown section [x-fleet] is ignored with all that is in it; did you mean "[X-Fleet]"?',
    ],
    [
      "a value in the wrong case",
      "[Service]\nExecStart=/bin/true\nRestart=Always\n",
      'hello.service:3: Restart=Always is ignored: there is no such value; did you mean "always"?',
    ],
    [
      "a key that is known and not acted on",
      "[Service]\nExecStart=/bin/true\nPrivateTmp=true\n",
      "hello.service:3: PrivateTmp= is accepted but not acted on: this sandboxing is not applied: the unit sees the host as it is",
    ],
    [
      "Type=notify",
      "[Service]\nType=notify\nExecStart=/bin/true\n",
      "hello.service: Type=notify is treated as Type=simple: it counts as running once it is started, ready or not",
    ],
  ];
  for (const [why, text, message] of rows)
    test(why, () =>
      assert.deepEqual(
        read(text).diagnostics.map((each) => each.message),
        [message],
      ),
    );

  test("a unit that does not load says where", () => {
    const { service, diagnostics } = read("[Service]\nExecStart=/bin/true\nExecStart=/bin/false\n");
    assert.equal(service.load, "bad-setting");
    assert.deepEqual(diagnostics, [
      {
        line: 3,
        severity: "error",
        message:
          "hello.service:3: Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.",
      },
    ]);
  });

  test("without the text, lines are those of the canonical one", () => {
    const { options } = parseUnitFile("\n\n[Service]\n# a comment\nExecStart=/bin/true\n\nExecStartPRE=x\n");
    assert.equal(readService(options, "a.service").diagnostics[0]?.line, 3);
  });

  test("another type of unit is loaded and not executed", () => {
    const { service, diagnostics } = read("[Timer]\nOnCalendar=daily\n", "backup.timer");
    assert.deepEqual([service.load, service.isExecutable], ["loaded", false]);
    assert.deepEqual(
      diagnostics.map(({ message }) => message),
      [
        "backup.timer: a .timer unit is loaded but not executed: its time never comes: start the service it names yourself",
      ],
    );
  });

  test("any options are read, and every diagnostic is a sentence with the unit's name", () => {
    const option = fc.record(
      {
        section: fc.oneof(fc.constantFrom("Unit", "Service", "Install", "X-Fleet"), fc.string()),
        name: fc.oneof(
          fc.constantFrom(
            "ExecStart",
            "Environment",
            "Restart",
            "LimitNOFILE",
            "MemoryMax",
            "CPUQuota",
            "WantedBy",
            "User",
            "__proto__",
            "constructor",
          ),
          fc.string(),
        ),
        value: fc.oneof(
          fc.string(),
          fc.string({ unit: "binary" }),
          fc.constantFrom("", "\\\n", "-", "%", '"', "1:2:3", "infinity"),
        ),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(option), (options) => {
        const { service, diagnostics } = readService(options, "any.service");
        for (const { message } of diagnostics) assert(message.startsWith("any.service:"));
        assert.equal(
          service.load === "bad-setting",
          diagnostics.some(({ severity }) => severity === "error"),
        );
        for (const number of Object.values({ ...unitRequests(service), ...unitLimits(service) })) assert(number > 0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("settings of a service", () => {
  const rows: readonly [why: string, text: string, gives: Partial<ServiceSettings>][] = [
    ["0 is no timeout", "TimeoutStartSec=0", { startTimeoutMs: Number.POSITIVE_INFINITY, stopTimeoutMs: 90_000 }],
    ["TimeoutSec= sets both", "TimeoutSec=5min 20s", { startTimeoutMs: 320_000, stopTimeoutMs: 320_000 }],
    ["a oneshot may start for ever", "Type=oneshot", { startTimeoutMs: Number.POSITIVE_INFINITY }],
    ["unless it says otherwise", "Type=oneshot\nTimeoutStartSec=5", { startTimeoutMs: 5000 }],
    [
      "the old start limit",
      "StartLimitInterval=20s\nStartLimitBurst=3",
      { startLimitIntervalMs: 20_000, startLimitBurst: 3 },
    ],
    [
      "later assignments win, empty ones begin again",
      "Environment=A=1 B=2\nEnvironment=A=3\nEnvironment=\nEnvironment=C=4",
      { environment: { C: "4" } },
    ],
    ["specifiers in values", "Environment=NAME=%n", { environment: { NAME: "hello.service" } }],
    ["a PID file is below /run", "PIDFile=x.pid", { pidFile: "/run/x.pid" }],
    [
      "limits",
      "LimitNOFILE=1024:4096\nLimitCORE=infinity\nLimitNPROC=64",
      {
        rlimits: {
          nofile: { soft: 1024, hard: 4096 },
          core: { soft: "unlimited", hard: "unlimited" },
          nproc: { soft: 64, hard: 64 },
        },
      },
    ],
    ["MemoryLimit= is MemoryMax=", "MemoryLimit=512M", { memoryMaxBytes: 536_870_912 }],
    ["the umask is octal", "UMask=0077", { umask: 0o077 }],
  ];
  for (const [why, text, gives] of rows)
    test(why, () => {
      const service = serviceOf(text);
      for (const [key, value] of Object.entries(gives)) assert.deepEqual(service[key as keyof ServiceSettings], value);
    });

  test("relations and conditions of [Unit] and [Install]", () => {
    const { service } = read(
      "[Unit]\nAfter=docker.service a.service\nBindsTo=a.service\nRequires=x y.service\nConditionPathExists=|!/etc/x\n" +
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    );
    assert.deepEqual(service.relations.after, ["docker.service", "a.service"]);
    assert.deepEqual(service.relations.bindsTo, ["a.service"]);
    assert.deepEqual(service.relations.requires, ["y.service"]);
    assert.deepEqual(service.relations.wantedBy, ["multi-user.target"]);
    assert.deepEqual(service.conditions, [
      { kind: "PathExists", value: "/etc/x", negated: true, isTrigger: true, isAssertion: false },
    ]);
  });

  test("requests: limits count as such, shares up to the quota", () => {
    assert.deepEqual(unitRequests(serviceOf("MemoryMax=64M\nCPUQuota=50%")), {
      cpuMillis: 500,
      memoryBytes: 67_108_864,
    });
    assert.deepEqual(unitRequests(serviceOf("CPUShares=512")), { cpuMillis: 500 });
    assert.deepEqual(unitRequests(serviceOf("CPUShares=2048\nCPUQuota=20%")), { cpuMillis: 200 });
    assert.deepEqual(unitRequests(serviceOf("")), {});
    assert.deepEqual(unitLimits(serviceOf("CPUShares=512\nCPUQuota=150%")), { cpuMillis: 1500 });
  });
});

test("PermissionsStartOnly= keeps User= for ExecStart= alone, wherever it stands", () => {
  const { service, diagnostics } = read(
    "[Service]\nExecStartPre=/bin/pre\nPermissionsStartOnly=true\nUser=nobody\nExecStart=/bin/main\n" +
      "ExecStartPost=/bin/post\nExecStop=/bin/stop\nExecStopPost=/bin/stop-post\n",
  );
  assert.deepEqual(diagnostics, []);
  const { execStartPre, execStart, execStartPost, execStop, execStopPost } = service;
  const privileged = [execStartPre, execStart, execStartPost, execStop, execStopPost].map(
    (list) => list[0]?.privileged,
  );
  assert.deepEqual(privileged, [true, false, true, true, true]);
});

describe("units that run containers", () => {
  const names: readonly [why: string, line: string, gives: readonly string[]][] = [
    ["--name x", "/usr/bin/docker run --name web -p 80:80 nginx", ["web"]],
    ["--name=x", "/usr/bin/docker run -d --name=web nginx", ["web"]],
    ["-name x, as old Docker took it", "/usr/bin/docker run -rm -name web nginx", ["web"]],
    ["create, and global flags first", "/usr/bin/docker -H unix:///x --debug create --name web nginx", ["web"]],
    ["container run", "/usr/bin/docker container run --name web nginx", ["web"]],
    ["a unit's name by specifier", "/usr/bin/docker run --name %p-1 nginx", ["hello-1"]],
    [
      "inside of a shell's script",
      `/bin/sh -c "docker pull x; exec /usr/bin/docker run --rm --name web nginx"`,
      ["web"],
    ],
    ["no name", "/usr/bin/docker run nginx", []],
    ["not run", "/usr/bin/docker stop --name web", []],
    ["a name with a variable cannot be known", `/bin/sh -c "docker run --name $NAME nginx"`, []],
  ];
  for (const [why, line, gives] of names)
    test(`name: ${why}`, () => {
      assert.deepEqual(dockerRunNames(read(`[Service]\nExecStart=${line}\n`).service), gives);
    });

  test("flags go right after the subcommand, and nowhere else", () => {
    const flags = ["--label", "a=b"];
    assert.deepEqual(withDockerFlags(["/usr/bin/docker", "-l", "debug", "run", "x", "run"], flags), [
      "/usr/bin/docker",
      "-l",
      "debug",
      "run",
      ...flags,
      "x",
      "run",
    ]);
    assert.deepEqual(withDockerFlags(["/usr/bin/docker", "pull", "run"], flags), ["/usr/bin/docker", "pull", "run"]);
    assert.deepEqual(withDockerFlags(["/bin/podman", "run"], flags), ["/bin/podman", "run"]);
  });
});
