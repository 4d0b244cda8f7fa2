/** The published units, where they are at hand: what the server says to each. docs/compatibility/fleet.md has this in words. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";
import { parseUnitFile } from "../../../src/model/unit/parse-unit-file.ts";
import { optionsOf, withCluster } from "./cluster.ts";

const FOLDER = join(import.meta.dirname, "../../../../shared/data");
const isHere = existsSync(FOLDER);

/** Everything else is accepted without a word. */
const SAID: Readonly<Record<string, string>> = {
  "nginx-cache.service":
    'nginx-cache.service:10: unknown key "ExecStartPRE" in [Service] is ignored; did you mean "ExecStartPre"?',
};

function unitFiles(): readonly string[] {
  return ["fleet-units", "first-files"].flatMap((folder) =>
    readdirSync(join(FOLDER, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".service"))
      .map((path) => join(folder, path))
      .toSorted(),
  );
}

describe("published units", { skip: isHere ? false : `NOT RUN: ${FOLDER} is not here` }, () => {
  const files = isHere ? unitFiles() : [];
  const textOf = (file: string) => readFileSync(join(FOLDER, file), "utf8");

  test("there are some", () => assert.ok(files.length >= 40, String(files.length)));

  for (const file of files) {
    const name = basename(file);
    test(`${file} is accepted${SAID[name] ? `, and told: ${SAID[name]}` : ""}`, () =>
      withCluster("", async (cluster) => {
        const { options, lines } = parseUnitFile(textOf(file));
        const body = { options: options.map((option, at) => ({ ...option, line: lines[at] })) };
        const path = `/fleet/v1/units/${encodeURIComponent(name)}?fieldValidation=Strict`;
        const answer = await cluster.call("PUT", path, body);
        assert.equal(answer.status, 201, answer.text);
        const words = [...(answer.headers.get("Warning") ?? "").matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)];
        const warnings = words.map(([, text = ""]) => text.replace(/\\(.)/g, "$1"));
        const absences = warnings.filter((text) => text.includes(": it requires "));
        const requires = options.some(({ name }) => name === "Requires" || name === "BindsTo");
        assert.equal(absences.length, requires ? 1 : 0, `what it requires is not here: ${absences}`);
        assert.deepEqual(
          warnings.filter((text) => !absences.includes(text)),
          [SAID[name] ?? []].flat(),
        );
        assert.deepEqual((await cluster.unit(name)).options, options);
      }));
  }

  for (const folder of [...new Set(files.map((file) => dirname(file)))]) {
    test(`${folder}: launched together on three machines, each runs, or waits with a reason, or is a template`, () =>
      withCluster("abc", async (cluster) => {
        const mine = files.filter((file) => dirname(file) === folder);
        for (const file of mine) {
          const body = { options: optionsOf(textOf(file)), desiredState: "launched" };
          assert.equal((await cluster.put(basename(file), body)).status, 201);
        }
        await cluster.untilDecided();
        const running = (await cluster.active()).map((row) => row.slice(0, -2));
        const waiting = cluster.pods().filter(({ spec }) => spec.nodeName === undefined);
        for (const { metadata, status } of waiting)
          assert.match(
            status.conditions?.find(({ type }) => type === "PodScheduled")?.message ?? "",
            /Conflicts=|MachineOf=|MachineID=/,
            metadata.name,
          );
        const names = waiting.map(({ metadata }) => metadata.annotations?.["styrmann.dev/workload"]);
        for (const name of mine.map((file) => basename(file)))
          assert.ok(running.includes(name) || names.includes(name) || name.includes("@."), name);
      }));
  }
});
