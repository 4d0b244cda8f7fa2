/** A clock that is wrong, of a server or of a host: what the host says of it, and the server, and that nobody has to join again. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { certificateRoutes } from "../../../src/api/certificates.ts";
import type { StyrApiContext } from "../../../src/api/context.ts";
import { notFound, renderError } from "../../../src/api/errors.ts";
import { ORIGINAL_HEADER, renderOriginal } from "../../../src/app/server/original.ts";
import type { Api } from "../../../src/http/route.ts";
import { LinkError } from "../../../src/seams/link.ts";
import { postJson } from "../../../src/trust/pinned-request.ts";
import { ShiftedClock } from "../trust/stage.ts";
import { dialerTo, makeTrust, openDoor, type TestDoor, type Trust, until } from "./tls-stage.ts";

const HOUR_MS = 3_600_000;
const EARS = { frame() {}, bytes() {}, closed() {} };

function clockAhead(ms: number): ShiftedClock {
  const clock = new ShiftedClock();
  clock.shiftMs = ms;
  return clock;
}

async function problemOf(door: TestDoor, ...[material, clock]: [Parameters<typeof dialerTo>[1], ShiftedClock]) {
  const dialing = dialerTo(door.url, material, { clock }).dial(EARS, new AbortController().signal);
  const error = await dialing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof LinkError);
  return error.message;
}

describe("link: clocks differ by more than certificates allow", () => {
  let trust: Trust;
  let door: TestDoor;
  const said: string[] = [];

  before(async () => {
    trust = await makeTrust();
    trust.pki.untaken.onNew((words) => said.push(words));
    const api: Api = {
      ...{ name: "styr", prefixes: ["/styr"], renderError, notFound },
      routes: certificateRoutes({} as StyrApiContext),
    };
    door = await openDoor(trust, () => () => EARS, [api]);
  });
  after(async () => {
    await door.close();
    await trust.close();
  });

  test("the server's is behind: the host says by how much, and does not say that it has to join again", async () => {
    const clock = clockAhead(2 * HOUR_MS);
    const material = await trust.client("web-1", "node", clock.now());
    const problem = await problemOf(door, material, clock);
    assert.match(problem, /: its clock is 120m behind this host's: by it this host's certificate is not valid before /);
    assert.match(problem, /Set the clock that is wrong right \(date; timedatectl set-ntp true\)/);
    assert.doesNotMatch(problem, /join|forgotten/);
  });

  test("the server's is ahead: the same", async () => {
    const clock = clockAhead(-48 * HOUR_MS);
    const problem = await problemOf(door, await trust.client("web-2", "node", clock.now()), clock);
    assert.match(
      problem,
      /: its clock is 2d ahead of this host's: by it this host's certificate ended at .* Set the clock/,
    );
    assert.doesNotMatch(problem, /join|forgotten/);
  });

  test("where both clocks say the same the host was away too long, or its certificate was made by a wrong clock", async () => {
    const over = await trust.client("web-3", "node", Date.now() - 48 * HOUR_MS);
    assert.match(await problemOf(door, over, clockAhead(0)), /away too long; join again/);
    const early = await trust.client("web-3", "node", Date.now() + 48 * HOUR_MS);
    assert.match(await problemOf(door, early, clockAhead(0)), /by a server's clock that was ahead; join again/);
  });

  test("the server says it once of each host, and knows who knocks", async () => {
    const clock = clockAhead(2 * HOUR_MS);
    const material = await trust.client("web-4", "node", clock.now());
    for (let n = 0; n < 3; n++) await problemOf(door, material, clock);
    const mine = said.filter((words) => words.startsWith('certificate of node "web-4": '));
    assert.equal(mine.length, 1);
    assert.match(mine[0] ?? "", /by this server's clock \(.* UTC\) it is not valid before .*; are the clocks right/);
    assert.match(trust.pki.untaken.ofNode("web-4", Date.now()) ?? "", /by this server's clock/);
    assert.equal(trust.pki.untaken.ofNode("web-4", Date.now() + HOUR_MS), undefined, "it knocks no more");
    assert.equal(trust.pki.untaken.ofNode("web-5", Date.now()), undefined);
    const { caPem, ...pair } = material;
    const { status, text: words, date } = await postJson(new URL("/styr/v1/certificates", door.url), caPem, {}, pair);
    assert.equal(status, 401);
    assert.match(words, /certificate of node \\"web-4\\": by this server's clock/);
    assert.ok(Math.abs(Date.parse(date ?? "") - Date.now()) < 60_000);
  });

  test("of what a server passes on it is said that this server is not believed, and nobody asks", async () => {
    const { caPem: ca, certPem: cert, keyPem: key } = await trust.client("s2", "server", Date.now() + 2 * HOUR_MS);
    const original = {
      actor: { name: "anna", roles: ["admin"] as const },
      remoteAddress: "192.0.2.9",
      origin: door.url,
    };
    const headers = { [ORIGINAL_HEADER]: renderOriginal(original) };
    const sent = request(`${door.url}/styr/v1/certificates`, { ca, cert, key, headers, method: "POST", agent: false });
    const [answer] = (await once(sent.end("{}"), "response")) as [IncomingMessage];
    assert.equal(answer.statusCode, 401);
    assert.match(await text(answer), /certificate of server \\"s2\\": by this server's clock/);
  });

  test("a certificate of another CA is told nothing, and is noted nowhere", async () => {
    const other = await makeTrust();
    try {
      const before = said.length;
      const theirs = await other.client("web-1", "node", Date.now() + 48 * HOUR_MS);
      const { caPem } = await trust.client("web-1");
      const { caPem: _other, ...pair } = theirs;
      const { status, text: words } = await postJson(new URL("/styr/v1/certificates", door.url), caPem, {}, pair);
      assert.deepEqual([status, said.length], [401, before]);
      assert.doesNotMatch(words, /clock|web-1/);
    } finally {
      await other.close();
    }
  });
});

test("link: the host's own clock is behind: it is named, and the server sees that somebody comes and goes", async () => {
  const ahead = Date.now() + 2 * HOUR_MS;
  const trust = await makeTrust(ahead);
  const door = await openDoor(trust, () => () => EARS);
  try {
    const material = await trust.client("web-1", "node", ahead);
    for (let n = 0; n < 4; n++) {
      const problem = await problemOf(door, material, clockAhead(0));
      assert.match(problem, /by this host's clock the certificate of that server is not valid yet/);
      assert.doesNotMatch(problem, /join/);
    }
    await until("the server saw it", () => trust.pki.strangers.has("127.0.0.1", Date.now()));
  } finally {
    await door.close();
    await trust.close();
  }
});

test("link: a server whose clock was ahead when its certificates were made makes others once it is right", async () => {
  const { openPki } = await import("../../../src/app/pki.ts");
  const trust = await makeTrust();
  try {
    await trust.pki.renew(Date.now() + 25 * 24 * HOUR_MS);
    const wrong = trust.pki.peer.certPem;
    const pki = await openPki(trust.folder, Date.now());
    assert.notEqual(pki.peer.certPem, wrong);
  } finally {
    await trust.close();
  }
});
