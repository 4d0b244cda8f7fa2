import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../../../seams/manual-clock.ts";
import { SeededRandom } from "../../../seams/random.ts";
import { CLASS, RCODE, TYPE } from "../wire/constants.ts";
import { nameBytes } from "../wire/name.ts";
import { Zones } from "../zones/zones.ts";
import { Answerer, type Transport } from "./answerer.ts";
import { ClientGate } from "./client-gate.ts";
import { Counters } from "./counters.ts";
import { Forwarder } from "./forwarder.ts";
import { Upstreams } from "./upstreams.ts";

function question(name: string, type: number, kind: number = CLASS.IN): Buffer {
  const header = Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, nameBytes(name) ?? assert.fail(name), Buffer.from([0, type, 0, kind])]);
}

/** Without any resolver outside. */
function answerer(): (bytes: Buffer, transport?: Transport) => Buffer | undefined {
  const [clock, random, counters] = [new ManualClock(), new SeededRandom("answers"), new Counters()];
  const zones = new Zones("10.42.0.1");
  const ranges = { podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" };
  zones.put({ kind: "cluster", id: "cluster", ...ranges, domain: "cluster.local", mode: "auto" });
  const upstreams = new Upstreams({ resolvConf: "", self: "10.42.0.1", clock, random, probe: () => undefined });
  const rules = { perSecond: 1_000, burst: 1_000 };
  const gate = new ClientGate({ clock, rules, podRanges: () => zones.podRanges, hostRanges: () => [] });
  const forwarder = new Forwarder({ upstreams, counters, clock, random });
  const settings = { ttlSeconds: 5, negativeSeconds: 5 };
  const it = new Answerer({ zones, gate, forwarder, upstreams, counters, clock, settings });
  return (bytes, transport = "udp") => {
    let said: Buffer | undefined;
    it.answer(bytes, "10.42.0.5", transport, (made) => {
      said = Buffer.from(made);
    });
    return said;
  };
}

const rcodeOf = (bytes: Buffer | undefined) => (bytes?.[3] ?? 15) & 0xf;
const answersIn = (bytes: Buffer | undefined) => bytes?.readUInt16BE(6);

describe("a question to the server of names", () => {
  test("is answered when it is of its zones, and in the number that it had", () => {
    const said = answerer()(question("dns-version.cluster.local", TYPE.TXT));
    assert.equal(rcodeOf(said), RCODE.ok);
    assert.equal(answersIn(said), 1);
    assert.equal(said?.readUInt16BE(0), 7);
  });

  test("for a whole zone is refused, whichever way it comes: nobody is to read all names at once", () => {
    const ask = answerer();
    for (const type of [TYPE.AXFR, TYPE.IXFR])
      for (const transport of ["udp", "tcp"] as const)
        for (const name of ["cluster.local", "mesos", "example.org"]) {
          const said = ask(question(name, type), transport);
          assert.equal(rcodeOf(said), RCODE.refused, `${name} ${type} by ${transport}`);
          assert.equal(answersIn(said), 0);
        }
  });

  test("of another class is refused", () => {
    const chaos = 3;
    assert.equal(rcodeOf(answerer()(question("version.bind", TYPE.TXT, chaos))), RCODE.refused);
  });
});
