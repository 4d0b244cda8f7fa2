import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AgentReport, linkWords } from "../model/agent-report.ts";
import { notTakenWords, serverOutOfTime } from "../model/certificate-time.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { agentProblems, renderAgent } from "./agent-status.ts";

const LINKED: AgentReport = {
  node: "h4",
  version: "0.4.0",
  clusterId: "c",
  startedAt: "2025-12-31T23:00:00Z",
  servers: ["https://h1:7443", "https://h2:7443"],
  connectedTo: "https://h2:7443",
  since: "2025-12-31T23:30:00Z",
  pods: 1,
  podRows: [{ name: "default/web", phase: "Running" }],
  certificateEndsAt: "2026-01-30T00:00:00Z",
};
const { connectedTo: _none, ...CUT_OFF } = { ...LINKED, problem: "connection refused" };
const screen = { colors: false, clock: new ManualClock(), asTyped: (text: string) => text };

describe("styr status on a host that runs an agent only", () => {
  test("shows its node, the server it is linked to and since when, its pods, and when its certificate ends", () => {
    const text = renderAgent(LINKED, screen);
    assert.match(text, /^agent .*node h4/m);
    assert.match(text, /^server +linked to https:\/\/h2:7443 for 30m/m);
    assert.match(text, /default\/web Running/);
    assert.match(text, /^certificate ends 2026-01-30/m);
    assert.match(text, /^next .*styr --server https:\/\/h2:7443/m);
    assert.deepEqual(agentProblems(LINKED, screen.clock.now()), []);
  });

  test("says why there is no link, and --check fails on it", () => {
    assert.match(renderAgent(CUT_OFF, screen), /^server +none reached for 30m: connection refused; what runs goes on/m);
    assert.deepEqual(agentProblems(CUT_OFF, screen.clock.now()), ["h4 reaches no server: connection refused"]);
  });

  test("one whose certificate is refused, or that does not believe the server's, is told how it joins again", () => {
    for (const problem of [
      "self-signed certificate in certificate chain",
      "it does not take this host's certificate",
    ]) {
      assert.match(renderAgent({ ...CUT_OFF, problem }, screen), /^next .*styr token create --role agent.*styr join/m);
      assert.match(linkWords(problem), /styr join/);
    }
    assert.doesNotMatch(linkWords("connection refused"), /styr join/);
  });

  test("one of the two clocks is wrong: that is said, and nobody is told to join again", () => {
    const nowMs = Date.parse("2026-01-10T12:00:00Z");
    const certificate = { validFrom: "Jan 10 11:00:00 2026 GMT", validTo: "Feb  9 12:00:00 2026 GMT" };
    for (const problem of [
      notTakenWords(certificate, new Date(nowMs - 7_200_000).toUTCString(), nowMs),
      serverOutOfTime("CERT_NOT_YET_VALID", "h1") ?? "",
    ]) {
      const next = /^next .*set the clock that is wrong right: date; timedatectl set-ntp true/m;
      assert.match(renderAgent({ ...CUT_OFF, problem }, screen), next);
      assert.match(linkWords(problem), /clock .*dialing again until one is$/);
      assert.doesNotMatch(linkWords(problem), /join/);
    }
  });

  test("a certificate that ends soon is a problem", () => {
    const certificateEndsAt = "2026-01-03T00:00:00Z";
    assert.match(agentProblems({ ...LINKED, certificateEndsAt }, screen.clock.now())[0] ?? "", /was not renewed/);
  });
});
