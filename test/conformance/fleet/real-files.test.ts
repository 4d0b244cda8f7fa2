/** The published units, where they are at hand: what the server says to each. docs/compatibility/fleet.md has this in words. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { warningsOf } from "../../../src/client/dialects/dialect-error.ts";
import { parseUnitFile } from "../../../src/model/unit/parse-unit-file.ts";
import { withCluster } from "./cluster.ts";

const FOLDER = join(import.meta.dirname, "../../../../shared/data");
const FOLDERS = ["fleet-units", "first-files"];

const skip = existsSync(FOLDER) ? false : `NOT RUN: ${FOLDER} is not here`;
const files = skip
  ? []
  : FOLDERS.flatMap((folder) =>
      readdirSync(join(FOLDER, folder), { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".service"))
        .map((path) => `${folder}/${path}`),
    ).toSorted();

for (const file of files) {
  const { options, lines } = parseUnitFile(readFileSync(join(FOLDER, file), "utf8"));
  const name = basename(file);
  const response = { options: options.map((option, at) => ({ ...option, line: lines[at] })) };
  await withCluster("", async (cluster) => {
    const answer = await cluster.call(
      "PUT",
      `/fleet/v1/units/${encodeURIComponent(name)}?fieldValidation=Strict`,
      response,
    );
    console.log(
      file,
      answer.status,
      answer.text,
      warningsOf({ status: 0, text: "", headers: { warning: answer.headers.get("Warning") ?? "" } } as never).join(
        "\n    ",
      ),
    );
  });
}
