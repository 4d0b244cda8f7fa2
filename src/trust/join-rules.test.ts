import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Applicant, isRepeat, type JoinFacts, refusalOfJoin } from "./join-rules.ts";
import { hashSecret, type JoinTokenText, newSecret } from "./token-text.ts";

const NOW_MS = Date.parse("2030-01-01T12:00:00Z");
const minutes = (count: number) => NOW_MS + count * 60_000;
const text = (ms: number) => new Date(ms).toISOString();

const token: JoinTokenText = { role: "server", id: "abc", secret: newSecret(), pin: "p" };
const host: Applicant = {
  ...{ token, nodeName: "e8", machineId: "8".repeat(32), keyHash: "k8" },
  ...{ sentAtMs: NOW_MS, version: "1.0.0" },
};
const mine = { host: "e8", machineId: host.machineId, keyHash: "k8", at: text(minutes(-2)) };

/** It has joined two minutes ago with a token for one host that is good for an hour. */
function facts(more: Partial<JoinFacts> = {}, spec: Partial<NonNullable<JoinFacts["token"]>> = {}): JoinFacts {
  const known = {
    role: "server",
    secretHash: hashSecret(token.secret),
    uses: 1,
    madeBy: "anna",
    used: [mine],
  } as const;
  return {
    ...{ nowMs: NOW_MS, version: "1.0.0", token: { ...known, expiresAt: text(minutes(60)), ...spec } },
    ...{ machinesOfName: [host.machineId], namesOfMachine: ["e8"], keyHashOfName: "k8", refusedAtMs: undefined },
    ...{ isAnswering: false, isStoreShared: true, ...more },
  };
}

const said = (known: JoinFacts, applicant = host) => refusalOfJoin(applicant, known)?.message ?? "";

describe("a host that asks again with a token it has used", () => {
  test("gets its answer once more while that may have been lost", () => {
    assert.equal(said(facts()), "");
    assert.ok(isRepeat(host, facts()));
    assert.equal(said(facts({ isAnswering: true })), "", "also when its agent is up already");
  });

  const table: readonly (readonly [string, JoinFacts, RegExp])[] = [
    ["later than that", facts({ nowMs: minutes(9) }), /used up/],
    ["when the token's time is over", facts({}, { expiresAt: text(minutes(-1)) }), /expired 60s ago/],
    ["when its certificate was taken back", facts({ keyHashOfName: undefined, machinesOfName: [] }), /used up/],
    ["when it has got another key since", facts({ keyHashOfName: "k9" }), /used up/],
    ["when one of its certificates was refused since", facts({ refusedAtMs: minutes(-1) }), /used up/],
  ];
  for (const [when, known, says] of table)
    test(`gets nothing ${when}`, () => {
      assert.match(said({ ...known }, { ...host, sentAtMs: known.nowMs }), says);
    });

  test("gets it when what was refused is older than its use of the token", () => {
    assert.equal(said(facts({ refusedAtMs: minutes(-3) })), "");
  });
});

describe("a host that has the name and the machine id of another", () => {
  const fresh = (more: Partial<JoinFacts>) => facts({ keyHashOfName: "k8", ...more }, { used: [] });
  const clone = { ...host, keyHash: "k-other" };

  test("does not take its place while that one answers, and is told both ways out", () => {
    const message = said(fresh({ isAnswering: true }), clone);
    assert.match(message, /e8.*answers.*--node-name NAME.*styr forget e8/);
    assert.match(said(fresh({ isAnswering: true, keyHashOfName: undefined }), clone), /answers/);
  });

  test("is that host with a new disk when nobody answers", () => {
    assert.equal(said(fresh({ isAnswering: false }), clone), "");
  });
});
