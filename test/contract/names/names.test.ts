/** The server of names as a process, asked by programs that people have: dig, and busybox' nslookup. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { NetworkEntry } from "../../../src/model/network.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import { clock, type NamesHost, openNamesHost } from "./names-host.ts";

const WEB: NetworkEntry = {
  ...{ kind: "service", id: "default/web", namespace: "default", name: "web", addresses: ["10.96.0.10"] },
  ports: [{ name: "http", protocol: "tcp", port: 80 }],
  ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
};
const OUTSIDE: NetworkEntry = {
  ...WEB,
  id: "default/ext",
  name: "ext",
  addresses: [],
  externalName: "www.example.org",
};
const NAME = "web.default.svc.cluster.local";

function many(count: number): NetworkEntry {
  const records = Array.from({ length: count }, (_, n) => {
    return {
      type: "A",
      name: "many.marathon.mesos",
      address: `10.42.${Math.floor(n / 250)}.${(n % 250) + 1}`,
    } as const;
  });
  return { kind: "names", id: "many", records };
}

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  for (const endMs = clock.monotonic() + ms; clock.monotonic() < endMs; await clock.sleep(50))
    if (await holds()) return;
  assert.fail(`not within ${ms} ms: ${what}`);
}

function factsOf(host: NamesHost): Readonly<Record<string, string | number>> {
  return host.part.report().facts ?? {};
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

describe("the server of names", { timeout: 120_000 }, () => {
  let host: NamesHost;
  before(async () => {
    host = await openNamesHost();
    await host.tell([WEB, OUTSIDE]);
  });
  after(() => host.close());

  test("answers pods by UDP and by TCP", () => {
    assert.match(host.dig(NAME, "+short"), /^10\.96\.0\.10$/m);
    assert.match(host.dig(NAME, "+short", "+tcp"), /^10\.96\.0\.10$/m);
  });

  test("answers busybox' nslookup, which asks for both kinds of addresses", () => {
    const { output, exitCode } = host.pod.run("busybox", ["nslookup", NAME, host.gateway]);
    assert.match(output, /10\.96\.0\.10/);
    assert.equal(exitCode, 0, output);
  });

  test("denies at once what is not there, and says for how long", () => {
    const output = host.dig("gone.default.svc.cluster.local", "AAAA", "+comments", "+authority");
    assert.match(output, /status: NXDOMAIN/);
    assert.match(output, /cluster\.local\.\s+5\s+IN\s+SOA/);
  });

  test("gives answers too long for a datagram by TCP, whole", async () => {
    await host.tell([many(600)]);
    const output = host.dig("many.marathon.mesos", "+short");
    assert.equal(output.split("\n").filter((line) => /^10\.42/.test(line)).length, 600);
    assert.match(host.dig("many.marathon.mesos", "+ignore"), /flags: qr aa tc/);
  });

  test("passes other names on to the host's resolver, and remembers them for as long as they hold", () => {
    assert.match(host.dig("one.example.org", "+short"), /192\.0\.2\.1/);
    assert.match(host.dig("ONE.example.org", "+short"), /192\.0\.2\.1/);
    assert.equal(
      host
        .upstreamLog()
        .split("\n")
        .filter((line) => line.startsWith("udp one.example.org")).length,
      1,
    );
    assert.match(host.dig("nx.example.org"), /status: NXDOMAIN/);
    assert.equal(
      host
        .dig("big.example.org", "+short")
        .trim()
        .split("\n")
        .filter((line) => /^192/.test(line)).length,
      200,
    );
  });

  test("never passes on what is below its own zones", () => {
    host.dig("www.example.org.default.svc.cluster.local");
    host.dig("gone.marathon.mesos");
    host.dig("gone.fleet.local");
    assert.ok(!/cluster|mesos|fleet/.test(host.upstreamLog()));
  });

  test("follows a Service's other name to the outside", () => {
    const output = host.dig("ext.default.svc.cluster.local", "+short");
    assert.match(output, /www\.example\.org\.\n192\.0\.2\.1/);
  });

  test("what is remembered behind an alias of ours counts down as well", async () => {
    const asked = () =>
      Number(/^www\.example\.org\.\s+(\d+)\s+IN\s+A/m.exec(host.dig("ext.default.svc.cluster.local"))?.[1]);
    const first = asked();
    await clock.sleep(1_100);
    assert.ok(asked() < first, `still ${first} s`);
  });

  test("says that it cannot, before the client gives up, when nobody outside answers", () => {
    const startMs = clock.monotonic();
    assert.match(host.dig("silent.example.org"), /status: SERVFAIL/);
    assert.ok(clock.monotonic() - startMs < 4900, "resolvers give up after 5 s");
    assert.match(host.dig(NAME, "+short"), /10\.96\.0\.10/);
  });

  test("refuses what only secondaries and the curious ask", () => {
    assert.match(host.dig("cluster.local", "AXFR"), /Transfer failed|connection reset|REFUSED/);
    assert.match(host.dig("version.bind", "CH", "TXT"), /status: REFUSED/);
  });

  test("answers nobody but this host and pods: other hosts hear nothing", () => {
    const words = [`@${host.gateway}`, NAME, "+tries=1", "+time=1"];
    host.upstream.run("ip", ["route", "add", host.podRange, "via", host.hostAddress]);
    assert.match(host.upstream.run("dig", words).output, /timed out|no servers could be reached/);
    assert.match(host.upstream.run("dig", [...words, "+tcp"]).output, /end of file|closed|reset|no servers/);
  });

  test("names that went away are denied when the part has said that it is done", async () => {
    await host.tell([{ ...WEB, id: "default/brief", name: "brief" } as NetworkEntry]);
    assert.match(host.dig("brief.default.svc.cluster.local", "+short"), /10\.96\.0\.10/);
    await host.tell([], [{ kind: "service", id: "default/brief" }]);
    assert.match(host.dig("brief.default.svc.cluster.local"), /status: NXDOMAIN/);
  });

  test("what is on a node that was lost is named only while nothing else is", async () => {
    const far = host.podRange.replace(/\.0\/24$/, ".77");
    await host.tell([
      { kind: "node", id: "n2", address: "192.0.2.9", podRange: "10.99.9.0/24" },
      { ...WEB, id: "default/two", name: "two", addresses: [] } as NetworkEntry,
      {
        ...{ kind: "endpoints", id: "two-1", service: "default/two", ports: [] },
        endpoints: [
          { address: far, state: "ready", node: "n1" },
          { address: "10.99.9.5", state: "ready", node: "n2" },
        ],
      },
    ]);
    const asked = () => host.dig("two.default.svc.cluster.local", "+short").trim().split("\n").sort();
    assert.deepEqual(asked(), [far, "10.99.9.5"].sort());
    const lose = async (isLost: boolean) => {
      const touched = new Touched();
      host.state.setLost("n2", isLost, touched);
      await host.part.apply(host.state, touched);
    };
    await lose(true);
    assert.deepEqual(asked(), [far]);
    await lose(false);
    assert.equal(asked().length, 2);
    await host.tell(
      [],
      [
        { kind: "node", id: "n2" },
        { kind: "service", id: "default/two" },
      ],
    );
  });

  test("questions in the name of addresses that no pod has hold up nobody else's answers", () => {
    const { otherPod: pod, gateway } = host;
    const nobodys = [200, 201, 202, 203].map((last) => gateway.replace(/\.\d+$/, `.${last}`));
    const device =
      /^\d+: ([^@:\s]+).* inet /m.exec(pod.run("ip", ["-4", "-o", "addr", "show", "scope", "global"]).output)?.[1] ??
      "";
    pod.run("ping", ["-c1", gateway]);
    // Nobody answers who asks where these are: what the host sends there waits.
    const mac = /lladdr (\S+)/.exec(pod.run("ip", ["neigh", "show", gateway]).output)?.[1] ?? "";
    pod.run("ip", ["neigh", "replace", gateway, "lladdr", mac, "dev", device]);
    for (const address of nobodys) pod.run("ip", ["addr", "add", `${address}/32`, "dev", device]);
    pod.run("sysctl", ["-w", `net.ipv4.conf.${device}.arp_ignore=8`]);
    const program = new URL("./ask-as.ts", import.meta.url).pathname;
    pod.run(process.execPath, [program, gateway, "3000", NAME, ...nobodys]);
    const [, waiting] = /:53 [\s\S]*?\bt(\d+),/.exec(host.onHost("ss", ["-uanm", "src", gateway])) ?? [];
    assert.ok(Number(waiting) < 16_384, `${waiting} bytes of answers wait for addresses that nobody has`);
    const before = clock.monotonic();
    const answer = host.dig(NAME, "+short");
    assert.match(answer, /10\.96\.0\.10/, answer);
    assert.ok(clock.monotonic() - before < 2000, `${clock.monotonic() - before} ms`);
  });

  test("survives a flood of packets without sense, and goes on answering others", async () => {
    const program = new URL("./flood.ts", import.meta.url).pathname;
    const result = host.pod.run(process.execPath, [
      "--disable-warning=ExperimentalWarning",
      program,
      host.gateway,
      "20000",
    ]);
    assert.equal(result.exitCode, 0, result.output);
    await until("an answer after the flood", () => /10\.96\.0\.10/.test(host.dig(NAME, "+short")));
    await host.tellAll();
    assert.ok(Number(factsOf(host).malformed) > 1000, JSON.stringify(factsOf(host)));
  });
});

describe("the server of names outlives the agent", { timeout: 120_000 }, () => {
  let host: NamesHost;
  before(async () => {
    host = await openNamesHost();
    await host.tell([WEB]);
  });
  after(() => host.close());

  test("goes on answering when the agent has gone, and is found again by the next", async () => {
    const { pid } = factsOf(host);
    await host.part.stop();
    assert.match(host.dig(NAME, "+short"), /10\.96\.0\.10/);
    host.part = host.again();
    await host.tellAll();
    assert.equal(factsOf(host).pid, pid);
  });

  test("an agent that comes back takes away what has gone meanwhile", async () => {
    await host.part.stop();
    host.state.tables.service.delete("default/web");
    host.part = host.again();
    await host.tellAll();
    assert.match(host.dig(NAME), /status: NXDOMAIN/);
    await host.tell([WEB]);
  });

  test("one that was killed is started again, and knows everything", async () => {
    const pid = Number(factsOf(host).pid);
    process.kill(pid, "SIGKILL");
    await until("another server", () => Number(factsOf(host).pid) !== pid);
    assert.match(host.dig(NAME, "+short"), /10\.96\.0\.10/);
  });

  test("one that was stopped is said to be silent, ended, and started anew", async () => {
    const pid = Number(factsOf(host).pid);
    process.kill(pid, "SIGSTOP");
    await until("the words", () => /does not answer/.test(host.part.report().words ?? ""));
    assert.equal(host.part.report().state, "failing");
    await until(
      "another one",
      () => Number(factsOf(host).pid) !== pid && /10\.96\.0\.10/.test(host.dig(NAME, "+short", "+time=1")),
      20_000,
    );
    assert.equal(isAlive(pid), false);
    await until("good words", () => host.part.report().state === "working");
  });

  test("one that was stopped before the agent came is found so, too", async () => {
    const pid = Number(factsOf(host).pid);
    await host.part.stop();
    process.kill(pid, "SIGSTOP");
    host.part = host.again();
    await host.tellAll();
    assert.notEqual(Number(factsOf(host).pid), pid);
    assert.match(host.dig(NAME, "+short"), /10\.96\.0\.10/);
  });

  test("another version takes over: of questions every 2 ms all are answered, but one at most that is asked again", async () => {
    const before = Number(factsOf(host).pid);
    const asking = host.pod.spawn("asking", [
      ...[process.execPath, "--disable-warning=ExperimentalWarning"],
      ...[new URL("./ask-often.ts", import.meta.url).pathname, host.gateway, NAME],
    ]);
    await clock.sleep(500);
    await host.part.stop();
    host.part = host.again({ ttlSeconds: 7 });
    await host.tellAll();
    const after = Number(factsOf(host).pid);
    assert.notEqual(after, before);
    await until("the end of the one before", () => !isAlive(before));
    assert.match(host.dig(NAME, "+noall", "+answer"), /\s7\s+IN\s+A/);
    asking.stdin?.end();
    asking.kill("SIGTERM");
    await until("what the client saw", () => asking.exitCode !== null || asking.signalCode !== null);
    const said = readFileSync(`${host.folder}/../asking.log`, "utf8");
    const [, asked = "0", lost = "?"] = /asked (\d+), lost (\d+)/.exec(said) ?? [];
    assert.ok(Number(asked) > 100, said);
    assert.ok(Number(lost) <= 1, said);
  });

  test("a port that another program has is not shared with it, and that is said until it is free", async () => {
    await host.part.remove();
    const words = [
      process.execPath,
      "-e",
      `require("dgram").createSocket({type:"udp4",reusePort:true}).bind(53,"${host.gateway}")`,
    ];
    const rival = host.spawnOnHost("rival", words);
    await until("the rival's port", () => /:53\b/.test(host.onHost("ss", ["-lun"])));
    host.part = host.again();
    await host.tellAll();
    assert.match(host.part.report().words ?? "", /another program answers on .* port 53/);
    assert.equal(host.part.report().state, "failing");
    rival.kill("SIGKILL");
    await until("our server on the port", async () => {
      await host.tellAll();
      return host.part.report().state === "working";
    });
    assert.match(host.dig(NAME, "+short"), /10\.96\.0\.10/);
  });

  test("waits for a bridge that is not there, and answers when it is", async () => {
    await host.part.remove();
    host.onHost("ip", ["addr", "del", `${host.gateway}/24`, "dev", "pods"]);
    host.part = host.again();
    await host.tellAll();
    const { state, words = "" } = host.part.report();
    assert.deepEqual([state, /no address/.test(words)], ["off", true], words);
    host.onHost("ip", ["addr", "add", `${host.gateway}/24`, "dev", "pods"]);
    await until("an answer", () => /10\.96\.0\.10/.test(host.dig(NAME, "+short", "+time=1")));
    await host.tellAll();
    assert.equal(host.part.report().state, "working");
  });

  test("is gone when the host is left, with all it made", async () => {
    const pid = Number(factsOf(host).pid);
    await host.part.remove();
    await until("the server's end", () => !isAlive(pid));
    assert.match(host.dig(NAME, "+time=1"), /refused|timed out|no servers/);
    host.part = host.again();
    await host.part.remove();
  });
});
