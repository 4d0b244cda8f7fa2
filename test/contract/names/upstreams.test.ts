/** The host's own resolvers: changed while the server runs, dead, or asking us in turn. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { clock, type NamesHost, openNamesHost } from "./names-host.ts";

describe("the host's resolvers", { timeout: 90_000 }, () => {
  let host: NamesHost;
  before(async () => {
    host = await openNamesHost();
  });
  after(() => host.close());

  const setResolvers = (...servers: readonly string[]) =>
    writeFileSync(join(host.folder, "../resolv.conf"), servers.map((server) => `nameserver ${server}\n`).join(""));

  async function words(wanted: RegExp): Promise<void> {
    let said = "";
    for (const endMs = clock.monotonic() + 10_000; clock.monotonic() < endMs; await clock.sleep(100)) {
      await host.tellAll();
      said = host.part.report().words ?? "all is well";
      if (wanted.test(said)) return;
    }
    assert.fail(`not within 10 s: ${wanted}; it says: ${said}`);
  }

  test("one that does not answer is passed over, and asked last from then on", async () => {
    const dead = host.upstream.address.replace(/\.\d+$/, ".77");
    setResolvers(dead, host.upstream.address);
    await clock.sleep(2500);
    assert.match(host.dig("first.example.org", "+short"), /192\.0\.2\.1/);
    const startMs = clock.monotonic();
    assert.match(host.dig("second.example.org", "+short"), /192\.0\.2\.1/);
    assert.ok(clock.monotonic() - startMs < 1000, "the dead one is not waited for again");
  });

  test("one that says that it cannot is not the last word: the next one is asked", async () => {
    const program = new URL("./upstream.ts", import.meta.url).pathname;
    const words = [process.execPath, "--disable-warning=ExperimentalWarning", program, "127.0.0.3", "fail"];
    const failing = host.spawnOnHost("failing", words);
    setResolvers("127.0.0.3", host.upstream.address);
    await clock.sleep(2500);
    assert.match(host.dig("other.example.org", "+short"), /192\.0\.2\.1/);
    failing.kill();
  });

  test("when none answers, that is said, and which; and no longer once one does", async () => {
    const dead = [76, 77].map((last) => host.upstream.address.replace(/\.\d+$/, `.${last}`));
    setResolvers(...dead);
    await clock.sleep(2500);
    assert.match(host.dig("nobody.example.org"), /status: SERVFAIL/);
    await words(/^none of [\d.]+\.76, [\d.]+\.77 answers: names outside of the cluster are not found/);
    setResolvers(host.upstream.address);
    await words(/^all is well$/);
  });

  test("a host without any says so, answers its own names, and says that it cannot to all others", async () => {
    setResolvers(host.gateway);
    await words(/names no other resolver/);
    assert.match(host.dig("third.example.org"), /status: SERVFAIL/);
    assert.match(host.dig("dns-version.cluster.local", "TXT", "+short"), /1\.1\.0/);
  });

  test("one that asks us in turn is found out and left aside: names do not go round", async () => {
    const program = new URL("./relay.ts", import.meta.url).pathname;
    host.spawnOnHost("relay", [
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      program,
      "127.0.0.1",
      host.gateway,
    ]);
    setResolvers("127.0.0.1", host.upstream.address);
    await words(/127\.0\.0\.1 asks this server in turn/);
    assert.match(host.dig("fourth.example.org", "+short"), /192\.0\.2\.1/);
    assert.match(host.dig("nx.fifth.example.org"), /status: NXDOMAIN/);
  });
});
