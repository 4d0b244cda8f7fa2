import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TcpPlaces } from "./tcp-places.ts";

function full(): TcpPlaces<string> {
  const places = new TcpPlaces<string>();
  for (let client = 0; client < 16; client++)
    for (let n = 0; n < 32; n++) assert.deepEqual(places.enter(`${client} ${n}`, `10.42.0.${client}`, client + n), {});
  return places;
}

describe("connections to the server of names", () => {
  test("one client has thirty-two at most", () => {
    const places = new TcpPlaces<string>();
    for (let n = 0; n < 32; n++) assert.deepEqual(places.enter(`${n}`, "a", 0), {});
    assert.equal(places.enter("more", "a", 0), false);
    places.leave("3");
    assert.deepEqual(places.enter("more", "a", 0), {});
  });

  test("clients that hold all of them keep nobody else out: who has most gives up the one that was idle longest", () => {
    const places = full();
    places.asked("0 0", 1_000);
    assert.deepEqual(places.enter("new", "10.42.0.99", 1_000), { inPlaceOf: "0 1" });
    assert.equal([...places.all].length, 512);
    for (let n = 0; n < 400; n++) places.enter(`new ${n}`, `10.43.${n >> 8}.${n & 255}`, 1_000);
    assert.ok([...places.all].includes("new 399"));
    assert.ok([...places.all].includes("new"), "who has one keeps it");
  });

  test("nobody gives up a place for who would have as many", () => {
    const places = new TcpPlaces<string>();
    for (let n = 0; n < 512; n++) places.enter(`${n}`, `client ${n}`, 0);
    assert.equal(places.enter("new", "another", 0), false);
    assert.equal(places.enter("second", "client 3", 0), false);
  });

  test("bytes that are no question keep no place", () => {
    const places = new TcpPlaces<string>();
    places.enter("a", "a", 0);
    assert.equal(places.isIdle("a", 9_999), false);
    assert.equal(places.isIdle("a", 10_000), true);
    places.asked("a", 9_000);
    assert.equal(places.isIdle("a", 18_999), false);
  });
});
