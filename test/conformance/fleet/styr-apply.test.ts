/** Units through our own command line: what is refused names file and line and changes nothing; what is said names the file's lines. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { units } from "../../../src/personalities/fleet/kinds.ts";
import { startCluster, type TestCluster } from "../../cli/cluster.ts";
import { styr } from "../../cli/run-styr.ts";
import { service } from "./cluster.ts";

describe("styr apply of units", () => {
  let cluster: TestCluster;
  let folder: string;
  before(async () => {
    cluster = await startCluster();
    folder = await mkdtemp(join(tmpdir(), "styr-units-"));
  });
  after(async () => {
    await cluster.close();
    await rm(folder, { recursive: true });
  });
  const apply = async (files: Readonly<Record<string, string>>) => {
    const paths = await Promise.all(
      Object.entries(files).map(async ([name, text]) => {
        await writeFile(join(folder, name), text);
        return join(folder, name);
      }),
    );
    return styr(cluster.url, ["apply", ...paths]);
  };
  const names = () => cluster.plane.store.list(units).map(({ metadata }) => metadata.name);

  const BROKEN: readonly (readonly [string, string, RegExp])[] = [
    [
      "two ExecStart lines in a simple service",
      "# a comment\n[Service]\nExecStart=/bin/a\n\nExecStart=/bin/b\n",
      /bad\.service:5: Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services/,
    ],
    ["no ExecStart", "[Service]\nUser=root\n", /bad\.service: Service has no ExecStart=/],
    ["garbage after a section", "[Unit]\n[Service] x\n", /bad\.service:\d+: found garbage after section name/],
    [
      "requirements that exclude each other",
      service("Global=true", "Replaces=a.service"),
      /bad\.service: unit bad\.service: Global cannot be used with Replaces/,
    ],
  ];
  for (const [what, text, message] of BROKEN)
    test(`${what}: refused with file and line, and the good unit beside it is not applied either`, async () => {
      const { code, err } = await apply({ "good.service": service(), "bad.service": text });
      assert.equal(code, 1, err);
      assert.match(err, message);
      assert.match(err, /nothing was changed/);
      assert.deepEqual(names(), []);
    });

  test("what only the server knows is said with the line of the file, beside what the file itself shows", async () => {
    const text = `# one\n# two\n${service("machineof=x.service").replace("[Service]", "[Service]\nExecstart=/bin/x")}`;
    const { code, err } = await apply({ "typo.service": text });
    assert.equal(code, 0, err);
    assert.match(err, /typo\.service:8: unknown key "machineof" in \[X-Fleet\] is ignored; did you mean "MachineOf"\?/);
    assert.equal(err.match(/typo\.service:4: unknown key "Execstart"/g)?.length, 1);
  });
});
