import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { NetworkEntry } from "../../model/network.ts";
import type { CommandOptions, Commands } from "../../seams/commands.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { PodNetwork } from "./pod-network.ts";

const SECRET = "c2VjcmV0IGtleSBvZiBub2RlIGEgYW5kIG5vIG90aGU=";
const PUBLIC = "cHVibGljIGtleSBvZiBub2RlIGEgYW5kIG5vIG90aGU=";

/** A host whose kernel has WireGuard, as far as its programs say: the kernel of tests has none. */
class HostWithWireguard implements Commands {
  readonly lines: string[] = [];
  readonly devices = new Set<string>();

  run(program: string, args: readonly string[], { input = "" }: CommandOptions = {}) {
    const line = [program, ...args].join(" ");
    this.lines.push(input === "" ? line : `${line} < ${input.trim()}`);
    if (args[0] === "link" && args[1] === "add") this.devices.add(args[2] ?? "");
    return Promise.resolve(this.#answer(line));
  }

  #answer(line: string) {
    const said = (stdout: string) => ({ exitCode: 0, stdout, stderr: "" });
    if (line === "wg genkey") return said(`${SECRET}\n`);
    if (line === "wg pubkey") return said(`${PUBLIC}\n`);
    if (line.startsWith("ip -j -force")) return said('[{"dst":"192.0.2.2","dev":"eth0"}]');
    const shown = /link show dev (\S+)/.exec(line)?.[1];
    if (shown !== undefined && !this.devices.has(shown)) return { exitCode: 1, stdout: "", stderr: "does not exist" };
    return said(shown === undefined ? "" : '[{"mtu":1420,"address":"","flags":["UP"]}]');
  }
}

describe("encryption between hosts", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "wireguard-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("a node makes its key once, shows only the public one, and tells its kernel the other nodes", async () => {
    const commands = new HostWithWireguard();
    const part = new PodNetwork({
      ...{
        networkName: "styrmann",
        hostAddress: () => "192.0.2.1",
        commands,
        clock: new ManualClock(),
        log: silentLog,
        folder,
      },
      ...{ range: () => "10.42.1.0/24", dial: async () => 1 },
    });
    const state = new NetworkState("a");
    const touched = new Touched();
    const entries: readonly NetworkEntry[] = [
      {
        kind: "cluster",
        id: "cluster",
        podRange: "10.42.0.0/16",
        serviceRange: "10.96.0.0/12",
        domain: "cluster.local",
        mode: "wireguard",
      },
      { kind: "node", id: "a", address: "192.0.2.1", podRange: "10.42.1.0/24" },
      { kind: "node", id: "b", address: "192.0.2.2", podRange: "10.42.2.0/24", wireguardKey: "b's key" },
    ];
    state.hear({ type: "all", revision: 1, entries }, touched);
    await part.apply(state, touched);
    await part.stop();
    assert.equal(readFileSync(join(folder, "wireguard.key"), "utf8").trim(), SECRET);
    assert.equal(statSync(join(folder, "wireguard.key")).mode & 0o777, 0o600);
    assert.deepEqual(part.status, { wireguardKey: PUBLIC, echoes: true });
    assert.equal(part.report().peers?.[0]?.mode, "wireguard");
    const told = commands.lines.find((line) => line.startsWith("wg syncconf"));
    assert.match(told ?? "", /^wg syncconf styrmann-wg \/dev\/stdin < \[Interface\]/);
    assert.match(told ?? "", /PublicKey = b's key\nEndpoint = 192\.0\.2\.2:51820\nAllowedIPs = 10\.42\.2\.0\/24/);
    assert.ok(commands.lines.some((line) => line.includes("route replace 10.42.2.0/24 dev styrmann-wg proto 142")));
    const seen = commands.lines.map((line) => line.split(" < ")[0]).join("\n");
    assert.ok(!seen.includes(SECRET), "no list of processes shows the key");
  });
});
