import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../../seams/manual-clock.ts";
import { ECHO_PORT, echoAddressOf, Passages } from "./passages.ts";
import type { Seen } from "./prober.ts";

/** Looks as often as its host answers, and says whether it is cut after each. */
async function looks(answers: readonly { readonly first?: string; readonly second?: string }[]): Promise<string> {
  let [at, asked] = [0, 0];
  const knock = async ({ port }: { readonly port: number }) => {
    asked++;
    return port === ECHO_PORT ? answers[at]?.first : answers[at]?.second;
  };
  const passages = new Passages({ clock: new ManualClock(), knock, from: () => "10.42.0.1" });
  const seen = (): Seen => ({ state: "reachable", failures: 0, atMs: at });
  const said: string[] = [];
  for (; at < answers.length; at++) {
    await passages.look([{ node: "b", podRange: "10.42.1.0/24" }], seen);
    const before = asked;
    await passages.look([{ node: "b", podRange: "10.42.1.0/24" }], seen);
    assert.equal(asked, before, "not again before its host has answered again");
    said.push(passages.isCut("b") ? "cut" : "-");
  }
  return said.join(" ");
}

const PASSED = { first: "ENOPROTOOPT" };
const SILENT = {};

describe("whether another host passes on what is for its pods", () => {
  test("it is cut when its host answers and three in a row are not passed on, until one is", async () => {
    assert.equal(await looks([PASSED, SILENT, SILENT, SILENT, SILENT, PASSED]), "- - - cut cut -");
    assert.equal(await looks([SILENT, SILENT, PASSED, SILENT, SILENT]), "- - - - -");
  });

  test("a firewall that refuses does not pass on, and one here that takes no ICMP hides nothing", async () => {
    const refused = { first: "ECONNREFUSED", second: "ECONNREFUSED" };
    assert.equal(await looks([refused, refused, { first: "EHOSTUNREACH" }]), "- - cut");
    const hidden = { second: "ECONNREFUSED" };
    assert.equal(await looks([hidden, hidden, hidden]), "- - -");
  });

  test("it is asked at an address that is in the range, and no pod's", () => {
    assert.equal(echoAddressOf("10.42.1.0/24"), "10.42.1.254");
  });
});
