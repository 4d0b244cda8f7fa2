import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DockerRules } from "./docker-rules.ts";
import { readTable } from "./shown-table.ts";

const NAT = "-P PREROUTING ACCEPT\n-N DOCKER\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n";
const FILTER = "-P FORWARD DROP\n-N DOCKER\n-A FORWARD -j DOCKER-USER\n-A FORWARD -o docker0 -j DOCKER\n";
const EMPTY = "-P PREROUTING ACCEPT\n-P FORWARD DROP\n";

describe("Docker's own rules", () => {
  let dir: string;
  let count = 0;
  const folder = () => join(dir, String(count++));
  const look = (rules: DockerRules, nat: string, filter: string) => rules.trouble(readTable(nat), readTable(filter));

  before(() => {
    dir = mkdtempSync(join(tmpdir(), "docker-rules-"));
  });
  after(() => rmSync(dir, { recursive: true }));

  test("that were there are missed, also by an agent that has begun after they went, until they are there again", async () => {
    const at = folder();
    assert.equal(await look(new DockerRules({ folder: at }), NAT, FILTER), undefined);
    const again = new DockerRules({ folder: at });
    assert.match((await look(again, EMPTY, EMPTY)) ?? "", /took Docker's own rules away.*systemctl restart docker/);
    assert.equal(await look(again, NAT, FILTER), undefined);
  });

  test("are known to be gone by an agent that has not looked yet, and no longer than they are", async () => {
    const at = folder();
    const first = new DockerRules({ folder: at });
    assert.equal(await first.last(), undefined);
    await look(first, NAT, FILTER);
    assert.equal(await new DockerRules({ folder: at }).last(), undefined);
    const words = await look(first, EMPTY, EMPTY);
    assert.ok(words !== undefined);
    const again = new DockerRules({ folder: at });
    assert.equal(await again.last(), words);
    await look(again, NAT, FILTER);
    assert.equal(await new DockerRules({ folder: at }).last(), undefined);
    const told = new DockerRules({ folder: at, writesRules: async () => false });
    await look(first, EMPTY, EMPTY);
    await look(told, EMPTY, EMPTY);
    assert.equal(await new DockerRules({ folder: at }).last(), undefined, "nor of a Docker that makes none");
  });

  test("one that has never seen them asks Docker whether it makes any", async () => {
    for (const { writes, isMissed } of [
      { writes: true, isMissed: true },
      { writes: false, isMissed: false },
      { writes: undefined, isMissed: false },
    ]) {
      const rules = new DockerRules({ folder: folder(), writesRules: async () => writes });
      assert.equal((await look(rules, EMPTY, EMPTY)) !== undefined, isMissed, String(writes));
    }
  });

  test("of those that led through FORWARD, too: iptables -F leaves the others", async () => {
    const rules = new DockerRules({ folder: folder() });
    await look(rules, NAT, FILTER);
    const flushed = "-P FORWARD DROP\n-N DOCKER\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n";
    assert.match((await look(rules, NAT, flushed)) ?? "", /Docker's own rules/);
  });

  test("who has told Docker to make none is believed, and they are not missed any more", async () => {
    let writes: boolean | undefined = true;
    const rules = new DockerRules({ folder: folder(), writesRules: async () => writes });
    await look(rules, NAT, FILTER);
    writes = false;
    assert.equal(await look(rules, EMPTY, EMPTY), undefined);
    writes = undefined;
    assert.equal(await look(rules, EMPTY, EMPTY), undefined);
  });
});
