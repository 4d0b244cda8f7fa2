import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Commands, SystemCommands } from "../../seams/commands.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { HostNames } from "./host-names.ts";

const BEFORE = "search home.example\nnameserver 192.0.2.53\n";

describe("names for the host itself", () => {
  let folder: string;
  let resolvConf: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "styr-host-names-"));
    resolvConf = join(folder, "resolv.conf");
    writeFileSync(resolvConf, BEFORE);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function hostNames(mayWriteResolvConf: boolean, commands: Commands = new SystemCommands()): HostNames {
    const resolvedFolder = join(folder, "resolve");
    return new HostNames({
      commands,
      clock: new ManualClock(),
      bridge: "styrmann",
      mayWriteResolvConf,
      resolvConf,
      resolvedFolder,
    });
  }

  test("without being asked, resolv.conf stays as it is", async () => {
    await hostNames(false).apply({ address: "10.42.0.1", domain: "cluster.local" });
    assert.equal(readFileSync(resolvConf, "utf8"), BEFORE);
  });

  test("whom the host asks in our place is told, unless that may ask us: what runs on it finds nobody by name", async () => {
    const elsewhere = async (text: string, mayWrite = false) => {
      writeFileSync(resolvConf, text);
      const names = hostNames(mayWrite);
      await names.apply({ address: "10.42.0.1", domain: "cluster.local" });
      return names.elsewhere;
    };
    assert.equal(await elsewhere(BEFORE), "192.0.2.53");
    assert.equal(await elsewhere(`nameserver 10.42.0.1\n${BEFORE}`), undefined);
    assert.equal(await elsewhere(`nameserver 127.0.0.1\n${BEFORE}`), undefined);
    assert.equal(await elsewhere(BEFORE, true), undefined);
    mkdirSync(join(folder, "resolve"));
    assert.equal(await elsewhere(BEFORE), undefined, "systemd-resolved is told of our domains");
  });

  test("asked, our server is first in it, and it is as before when styr leaves", async () => {
    const names = hostNames(true);
    await names.apply({ address: "10.42.0.1", domain: "cluster.local" });
    assert.match(readFileSync(resolvConf, "utf8"), /^# styrmann begins.*\nnameserver 10\.42\.0\.1\n/);
    await names.remove();
    assert.equal(readFileSync(resolvConf, "utf8"), BEFORE);
  });

  test("a link to where another program keeps it stays a link", async () => {
    const kept = join(folder, "kept.conf");
    renameSync(resolvConf, kept);
    symlinkSync(kept, resolvConf);
    const names = hostNames(true);
    await names.apply({ address: "10.42.0.1", domain: "cluster.local" });
    assert.match(readFileSync(kept, "utf8"), /nameserver 10\.42\.0\.1/);
    await names.remove();
    assert.equal(readFileSync(kept, "utf8"), BEFORE);
    assert.ok(lstatSync(resolvConf).isSymbolicLink());
  });

  test("systemd-resolved is told which domains are ours, and resolv.conf is not touched", async () => {
    mkdirSync(join(folder, "resolve"));
    const said: string[] = [];
    const commands: Commands = {
      run: async (program, args) => {
        said.push([program, ...args].join(" "));
        return { exitCode: 0, stdout: "", stderr: "" };
      },
    };
    const names = hostNames(true, commands);
    await names.apply({ address: "10.42.0.1", domain: "cluster.local" });
    await names.remove();
    assert.deepEqual(said, [
      "resolvectl dns styrmann 10.42.0.1",
      "resolvectl domain styrmann ~cluster.local ~mesos ~fleet.local",
      "resolvectl revert styrmann",
    ]);
    assert.equal(readFileSync(resolvConf, "utf8"), BEFORE);
  });

  test("what systemd-resolved refuses is said, and names for pods go on", async () => {
    mkdirSync(join(folder, "resolve"));
    const commands: Commands = { run: async () => ({ exitCode: 1, stdout: "", stderr: "no such link\n" }) };
    const names = hostNames(false, commands);
    await names.apply({ address: "10.42.0.1", domain: "cluster.local" });
    assert.match(names.problem ?? "", /no such link/);
  });
});
