import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ClusterSettings, type ClusterSettingsSpec, clusterSettings } from "../../model/cluster-settings.ts";
import { TERMS_ANNOTATION } from "./agent-terms.ts";
import { TermsInForce } from "./terms-in-force.ts";

function settings(spec: Partial<ClusterSettingsSpec>, termsMs?: number): ClusterSettings {
  const annotations = termsMs === undefined ? {} : { [TERMS_ANNOTATION]: String(termsMs) };
  const { apiVersion } = clusterSettings;
  const metadata = {
    name: "cluster",
    uid: "u",
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "",
    annotations,
  };
  return { apiVersion, kind: "ClusterSettings", metadata, spec };
}

const told = (terms: TermsInForce) => terms.answers.renewed.terms.exclusiveMs;

describe("terms for exclusive pods", () => {
  test("longer ones are told once they are on the disk", () => {
    const terms = new TermsInForce();
    terms.take(settings({ exclusiveAfterMs: 120_000 }), 0);
    assert.deepEqual([told(terms), terms.isUntold], [40_000, true]);
    terms.take(settings({ exclusiveAfterMs: 120_000 }, 120_000), 0);
    assert.deepEqual([told(terms), terms.isUntold], [120_000, false]);
  });

  test("shorter ones are told at once, and kept to when the longer ones are over everywhere", () => {
    const terms = new TermsInForce();
    terms.take(settings({ exclusiveAfterMs: 120_000 }, 120_000), 0);
    terms.take(settings({ exclusiveAfterMs: 60_000 }, 120_000), 1_000);
    assert.deepEqual([told(terms), terms.floorMs], [60_000, 121_000]);
  });

  test("a control plane that begins keeps the longest that are stored", () => {
    const terms = new TermsInForce();
    terms.take(settings({ exclusiveAfterMs: 40_000 }, 120_000), 5_000);
    terms.begin(5_000);
    assert.equal(terms.floorMs, 125_000);
  });

  test("without anything stored nothing is waited for", () => {
    const terms = new TermsInForce();
    terms.take(undefined, 5_000);
    terms.begin(5_000);
    assert.deepEqual([terms.floorMs, terms.isUntold, told(terms)], [0, false, 40_000]);
    assert.deepEqual([terms.answers.refused.renewed, terms.answers.stranger.known], [false, false]);
  });
});
