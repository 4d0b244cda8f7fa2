import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { BackendServer } from "./backend-servers.ts";
import { parseServersState, serverCommands } from "./server-commands.ts";
import { assignSlots, type Slots } from "./slots.ts";

const server = fc.record(
  {
    address: fc.integer({ min: 1, max: 30 }).map((n) => `10.42.0.${n}`),
    port: fc.constantFrom(80, 8080),
    state: fc.constantFrom("on" as const, "off" as const),
  },
  { noNullPrototype: true },
);
const servers = fc.uniqueArray(server, { selector: ({ address, port }) => `${address}:${port}`, maxLength: 20 });
const shown = ({ address, port, state }: BackendServer) => `${address}:${port} ${state}`;

describe("the way in: slots:", () => {
  test("hold exactly the servers that are there, each where it was, and every other takes no requests", () => {
    fc.assert(
      fc.property(fc.array(servers, { minLength: 1, maxLength: 6 }), (steps) => {
        let slots: Slots = [];
        for (const wanted of steps) {
          const before = slots;
          slots = assignSlots(before, wanted);
          const held = slots.flatMap((slot) => slot ?? []);
          const on = held.filter(({ state }) => state === "on").map(shown);
          assert.deepEqual(
            on.sort(),
            wanted
              .filter(({ state }) => state === "on")
              .map(shown)
              .sort(),
          );
          for (const [at, slot] of before.entries()) {
            const stays = slot && wanted.some(({ address, port }) => address === slot.address && port === slot.port);
            if (stays) assert.equal(slots[at]?.address, slot.address);
          }
          assert.ok(slots.length >= before.length || wanted.length <= slots.length);
        }
      }),
    );
  });

  test("commands bring an HAProxy from any table to any other of the same length", () => {
    fc.assert(
      fc.property(servers, servers, (first, second) => {
        const before = assignSlots(
          Array.from({ length: 32 }, () => undefined),
          first,
        );
        const after = assignSlots(before, second);
        const model = [...before];
        for (const command of serverCommands("b", before, after)) {
          const [, , name = "", what, value = "", , port] = command.split(" ");
          const at = Number(name.split("/s")[1]) - 1;
          const old = model[at] ?? { address: "240.0.0.1", port: 1, state: "off" as const };
          // Requests that are given to it meanwhile would go to another server's address.
          if (what === "addr") assert.equal(old.state, "off", `${command} while it takes requests`);
          if (what === "addr") model[at] = { ...old, address: value, port: Number(port) };
          else model[at] = { ...old, state: value === "ready" ? "on" : "off" };
        }
        assert.deepEqual(model, [...after]);
      }),
    );
  });

  test("a server that takes requests, as HAProxy says, takes none while it is given another address", () => {
    const slot = (last: number, port = 80) => ({ address: `10.42.0.${last}`, port, state: "on" as const });
    for (const after of [slot(2), slot(1, 8080)]) {
      const [first, second, third, ...more] = serverCommands("b", [slot(1)], [after]);
      assert.equal(first, "set server b/s1 state maint");
      assert.equal(second, `set server b/s1 addr ${after.address} port ${after.port}`);
      assert.equal(third, "set server b/s1 state ready");
      assert.deepEqual(more, []);
    }
  });

  test("are read from what HAProxy says of its servers", () => {
    const text = [
      "1",
      "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port",
      "4 to-a 1 s1 10.0.0.1 0 1 1 80",
      "4 to-a 2 s2 10.0.0.9 2 4 1 81",
      "4 to-a 3 s3 240.0.0.1 0 5 1 1",
      "",
    ].join("\n");
    assert.deepEqual(parseServersState(text).get("to-a"), [
      { address: "10.0.0.1", port: 80, state: "off" },
      { address: "10.0.0.9", port: 81, state: "on" },
      undefined,
    ]);
  });
});
