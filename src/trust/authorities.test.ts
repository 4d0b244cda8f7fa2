import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import fc from "fast-check";
import type { Authority, ClusterTrust } from "../model/cluster-trust.ts";
import type { HostCertificate } from "../model/host-certificate.ts";
import {
  beginRotation,
  bundleOf,
  giveUp,
  type HostInChange,
  hostsInChange,
  lockedOut,
  newsOf,
  signerOf,
  stepRotation,
  waitedFor,
} from "./authorities.ts";
import { issueCa } from "./issue-certificate.ts";
import { keyHashOf, splitPem } from "./key-hash.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const at = (ms: number) => new Date(ms).toISOString();

describe("a change of the CA", () => {
  let old: Authority;
  let fresh: Authority;
  let spec: ClusterTrust["spec"];
  before(async () => {
    const make = async () => ({ ...(await issueCa(NOW_MS, NOW_MS + DAY_MS)), madeAt: at(NOW_MS) });
    [old, fresh] = [await make(), await make()];
    spec = { clusterId: "c", authorities: [old] };
  });
  const host = (more: Partial<HostInChange> = {}): HostInChange => ({
    ...{ hasAgent: true, host: "web-1", role: "node", serial: "1", issuedBy: keyHashOf(old.certPem) },
    ...{ believes: [keyHashOf(old.certPem)], issuedAt: at(NOW_MS), expiresAt: at(NOW_MS + DAY_MS) },
    ...more,
  });
  const begun = () => beginRotation(spec, fresh, at(NOW_MS), "anna");

  test("begins with both believed, and the old one signing", () => {
    assert.deepEqual(splitPem(bundleOf(begun())).length, 2);
    assert.equal(signerOf(begun()), old);
    assert.equal(newsOf(begun(), []).signingCa, keyHashOf(old.certPem));
  });

  test("waits for a node that does not believe the new one, until its certificate has run out", () => {
    assert.equal(stepRotation(begun(), [host()], NOW_MS), undefined);
    assert.deepEqual(
      waitedFor(begun(), [host()], NOW_MS).map((one) => one.host.host),
      ["web-1"],
    );
    assert.equal(stepRotation(begun(), [host()], NOW_MS + DAY_MS)?.spec.rotation?.step, "renew");
  });

  test("waits ten minutes for a server that is away: it finds all in the store when it comes back", () => {
    const server = host({ role: "server" });
    assert.equal(stepRotation(begun(), [server], NOW_MS + 599_999), undefined);
    assert.ok(stepRotation(begun(), [server], NOW_MS + 600_000));
  });

  test("lets the new one sign when all believe it, and the old one go when all have a certificate of it", () => {
    const believes = [keyHashOf(old.certPem), keyHashOf(fresh.certPem)];
    const renewing = stepRotation(begun(), [host({ believes })], NOW_MS)?.spec;
    assert.ok(renewing);
    assert.equal(signerOf(renewing), fresh);
    assert.equal(renewing.authorities.length, 2, "the old one is still believed");
    assert.equal(stepRotation(renewing, [host({ believes })], NOW_MS), undefined);
    const renewed = host({ believes, issuedBy: keyHashOf(fresh.certPem) });
    assert.deepEqual(stepRotation(renewing, [renewed], NOW_MS)?.spec, { clusterId: "c", authorities: [fresh] });
  });

  test("does not wait for a host without an agent, once that has had ten minutes to come: nothing renews its certificate", () => {
    const server = host({ hasAgent: false, issuedAt: at(NOW_MS - 599_999) });
    assert.equal(stepRotation(begun(), [server], NOW_MS), undefined, "its agent may be starting");
    assert.ok(stepRotation(begun(), [server], NOW_MS + 1));
    const object = (name: string) => ({ spec: host({ host: name }) }) as unknown as HostCertificate;
    const hosts = hostsInChange([object("web-1"), object("srv")], (name) => name === "web-1");
    assert.deepEqual(
      hosts.map(({ hasAgent }) => hasAgent),
      [true, false],
    );
  });

  test("goes on without a host that was given up, and waits in both steps for all others", () => {
    const believes = [keyHashOf(old.certPem), keyHashOf(fresh.certPem)];
    const [here, away] = [host({ host: "here", believes }), host({ host: "away" })];
    assert.equal(stepRotation(begun(), [here, away], NOW_MS), undefined);
    const given = giveUp(begun(), ["away"]);
    assert.deepEqual(lockedOut(given, [here, away], NOW_MS), ["away"]);
    const renewing = stepRotation(given, [here, away], NOW_MS)?.spec;
    assert.ok(renewing);
    assert.equal(renewing.authorities.length, 2, "who has only begun to believe is still believed himself");
    assert.equal(stepRotation(renewing, [here, away], NOW_MS), undefined, "the one that is here has to renew first");
    const renewed = { ...here, issuedBy: keyHashOf(fresh.certPem) };
    assert.deepEqual(stepRotation(renewing, [renewed, away], NOW_MS)?.spec.authorities, [fresh]);
  });

  test("property: whoever has done his part is believed and believes at every step, in whatever order hosts do theirs", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 60 }), (turns) => {
        let now = begun();
        const hosts = [0, 1, 2, 3, 4].map((n) => host({ host: `web-${n}` }));
        for (const n of turns) {
          // A host learns what is believed, then renews, one thing per turn.
          const mine = hosts[n] as HostInChange;
          const believes = now.authorities.map(({ certPem }) => keyHashOf(certPem));
          const knows = believes.every((hash) => mine.believes.includes(hash));
          hosts[n] = { ...mine, believes, ...(knows ? { issuedBy: keyHashOf(signerOf(now).certPem) } : {}) };
          now = stepRotation(now, hosts, NOW_MS)?.spec ?? now;
          const taken = new Set(now.authorities.map(({ certPem }) => keyHashOf(certPem)));
          for (const one of hosts) {
            assert.ok(taken.has(one.issuedBy), "nobody's certificate is refused");
            assert.ok(
              one.believes.includes(keyHashOf(signerOf(now).certPem)),
              "nobody is shown a CA he does not believe",
            );
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
