/** A journal that can no longer be followed: its server opens another plane, and goes on, whatever it was about to do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LateNodeAccess } from "../../src/app/late-node-access.ts";
import { withMembers } from "../../src/lib/with-members.ts";
import type { Followed, SharedJournal } from "../../src/store/journal.ts";
import { ServersHere } from "./servers-here.ts";

const PATH = "/api/v1/namespaces/default/configmaps";
const body = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

test("a follower whose history was compacted follows anew; its watches end, and nobody in it watches what is over for ever", async () => {
  // As from etcd: what is loaded comes over a socket, and only if the process gets to look at its sockets.
  const slow = (journal: SharedJournal) =>
    withMembers<SharedJournal>(journal, { load: () => sleep(50).then(() => journal.load()) });
  const cluster = await ServersHere.open(2, new LateNodeAccess(), () => ({ limits: true }), slow);
  const [follower] = cluster.followers;
  assert.ok(follower);
  const before = follower.life.plane;
  const watched = await follower.stream(`${PATH}?watch=true`);
  cluster.memory.compact();
  await watched.ended;
  assert.match(watched.text(), /too old resource version/);
  await cluster.until("another plane", () => follower.life.plane !== before);
  const made = await follower.call({ method: "POST", path: PATH, body: body("after") });
  assert.equal(made.status, 201, made.text);
  assert.equal((await follower.call({ path: `${PATH}/after` })).status, 200);
  await cluster.stop();
});

test("a server that wins in the moment in which its journal is lost gives it up, and leads with another plane", async () => {
  let losses = 1;
  const losing = (journal: SharedJournal): SharedJournal => {
    let followed: Followed | undefined;
    return withMembers<SharedJournal>(journal, {
      follow: (follower) => {
        followed = follower;
        journal.follow(follower);
      },
      campaign: async (me, signal) => {
        const leadership = await journal.campaign(me, signal);
        if (losses-- > 0) followed?.lost("etcd has compacted its history");
        return leadership;
      },
    });
  };
  const cluster = await ServersHere.open(1, new LateNodeAccess(), () => ({}), losing);
  const [server] = cluster.servers;
  assert.ok(server);
  assert.equal(server.stopping.aborted, false, String(server.stopping.reason));
  const made = await server.call({ method: "POST", path: PATH, body: body("after") });
  assert.equal(made.status, 201, made.text);
  await cluster.stop();
});
