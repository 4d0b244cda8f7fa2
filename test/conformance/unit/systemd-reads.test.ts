/**
 * What systemd 252 says of unit files, recorded from `systemd-analyze verify`, and asked again where it is installed. What we
 * say beyond that ("accepted but not acted on") is not in these files.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseUnitFile } from "../../../src/model/unit/parse-unit-file.ts";
import { readService } from "../../../src/model/unit/read-service.ts";

interface Row {
  readonly why: string;
  readonly text: string;
  /** Lines that something is ignored in, or that make the unit refused. */
  readonly lines: readonly number[];
  /** Where we point elsewhere: at a section's first option, because its heading is not an option. */
  readonly ours?: readonly number[];
  readonly isRefused?: boolean;
}

const service = (text: string) => `[Service]\n${text}\n`;
const withStart = (text: string) => service(`ExecStart=/bin/true\n${text}`);

const rows: readonly Row[] = [
  { why: "nothing to say", text: withStart("Restart=on-failure"), lines: [] },
  { why: "keys are case-sensitive", text: withStart("ExecStartPRE=/bin/false"), lines: [3] },
  { why: "a key of another section", text: withStart("Description=x"), lines: [3] },
  { why: "sections are case-sensitive", text: `${withStart("")}[service]\nA=b\n`, lines: [4], ours: [5] },
  {
    why: "enum values are case-sensitive",
    text: withStart("Restart=Always\nType=Simple\nKillMode=Mixed"),
    lines: [3, 4, 5],
  },
  { why: "booleans are not", text: withStart("RemainAfterExit=YES\nSendSIGKILL=maybe"), lines: [4] },
  {
    why: "wrong times",
    text: withStart("TimeoutStartSec=5 parsecs\nRestartSec=-1\nTimeoutStopSec=1min 5s"),
    lines: [3, 4],
  },
  { why: "a wrong item in Environment=", text: withStart('Environment="A=b" 2C D=e'), lines: [3] },
  {
    why: "a relative environment file",
    text: withStart("EnvironmentFile=made.env\nEnvironmentFile=-/none"),
    lines: [3],
  },
  {
    why: "wrong limits",
    text: withStart("MemoryMax=abc\nCPUQuota=50\nTasksMax=x\nLimitNOFILE=9:1\nLimitCORE=infinity"),
    lines: [3, 4, 5, 6],
  },
  { why: "wrong numbers", text: withStart("Nice=99\nOOMScoreAdjust=9999\nUMask=8"), lines: [3, 4, 5] },
  { why: "wrong signals", text: withStart("KillSignal=SIGNONE\nKillSignal=TERM"), lines: [3] },
  {
    why: "wrong exit codes",
    text: withStart("SuccessExitStatus=3 SIGUSR1 TEMPFAIL\nSuccessExitStatus=999"),
    lines: [4],
  },
  { why: "an unknown escape", text: service("ExecStart=/bin/sh -c '\\d'"), lines: [2] },
  {
    why: "a dash before what cannot be read",
    text: withStart("ExecStartPre=-bin/a\nExecStartPre=-/bin/sh 'x"),
    lines: [3, 4],
  },
  { why: "a relative path", text: withStart("ExecStartPre=bin/a"), lines: [3], isRefused: true },
  { why: "a quote that is not closed", text: service('ExecStart=/bin/sh -c "a'), lines: [2], isRefused: true },
  { why: "a folder as program", text: service("ExecStart=/bin/"), lines: [2], isRefused: true },
  { why: "a relative working directory", text: withStart("WorkingDirectory=x"), lines: [3], isRefused: true },
  { why: "two ExecStart= lines", text: withStart("ExecStart=/bin/false"), lines: [], isRefused: true },
  { why: "two commands in one line", text: service("ExecStart=/bin/true ; /bin/false"), lines: [], isRefused: true },
  { why: "two ExecStart= lines of a oneshot", text: withStart("ExecStart=/bin/true\nType=oneshot"), lines: [] },
  { why: "an empty line takes the ones before back", text: withStart("ExecStart=\nExecStart=/bin/false"), lines: [] },
  { why: "no command at all", text: service("Restart=no"), lines: [], isRefused: true },
  { why: "RemainAfterExit= alone", text: service("RemainAfterExit=yes"), lines: [], isRefused: true },
  { why: "ExecStop= alone", text: service("ExecStop=/bin/true"), lines: [], isRefused: true },
  {
    why: "ExecStop= of a oneshot that remains",
    text: service("Type=oneshot\nRemainAfterExit=yes\nExecStop=/bin/true"),
    lines: [],
  },
  {
    why: "ExecStop= of a simple service that remains",
    text: service("RemainAfterExit=yes\nExecStop=/bin/true"),
    lines: [],
  },
  {
    why: "a oneshot that always restarts",
    text: withStart("Type=oneshot\nRestart=always"),
    lines: [],
    isRefused: true,
  },
  { why: "a oneshot that restarts on failure", text: withStart("Type=oneshot\nRestart=on-failure"), lines: [] },
  {
    why: "a continued line with a comment between",
    text: service("ExecStart=/bin/echo a \\\n# no \\\n  b"),
    lines: [],
  },
  { why: "the old start limit in [Service]", text: withStart("StartLimitInterval=10\nStartLimitBurst=3"), lines: [] },
  { why: "X- sections and keys", text: `${withStart("X-Mine=1")}[X-Fleet]\nGlobal=true\n`, lines: [] },
];

const version = spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" });
const hasSystemd = version.status === 0 && version.stdout.startsWith("systemd 252");

describe("unit files as systemd 252 reads them", () => {
  for (const row of rows)
    test(row.why, () => {
      const ours = read(row.text);
      assert.deepEqual(ours.lines, row.ours ?? row.lines, ours.said);
      assert.equal(ours.isRefused, row.isRefused ?? false, ours.said);
    });

  test("the record is true", { skip: hasSystemd ? false : "NOT RUN: there is no systemd-analyze 252" }, () => {
    const folder = mkdtempSync(join(tmpdir(), "styr-verify-"));
    try {
      for (const [at, row] of rows.entries()) {
        const theirs = askSystemd(join(folder, `row${at}.service`), row.text);
        assert.deepEqual(theirs.lines, row.lines, `${row.why}: ${theirs.said}`);
        assert.equal(theirs.isRefused, row.isRefused ?? false, `${row.why}: ${theirs.said}`);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

interface Reading {
  readonly lines: readonly number[];
  readonly isRefused: boolean;
  readonly said: string;
}

function read(text: string): Reading {
  const { options, lines } = parseUnitFile(text);
  const { service: settings, diagnostics } = readService(options, "row.service", { lines });
  // What systemd says of the unit as a whole has no line there; here it may have one.
  const told = diagnostics.filter(({ line, message }) => line > 0 && !message.endsWith("Refusing."));
  const said = diagnostics.map(({ message }) => message).join("\n");
  return { lines: [...new Set(told.map(({ line }) => line))], isRefused: settings.load === "bad-setting", said };
}

function askSystemd(file: string, text: string): Reading {
  writeFileSync(file, text);
  const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", file], {
    encoding: "utf8",
  });
  const about = stderr.split("\n").filter((line) => line.startsWith(`${file}:`));
  const lines = about.map((line) => Number(/:(\d+): /.exec(line.slice(file.length))?.[1]));
  return {
    lines: [...new Set(lines)].toSorted((a, b) => a - b),
    isRefused: /bad unit file setting/.test(stderr),
    said: stderr,
  };
}
