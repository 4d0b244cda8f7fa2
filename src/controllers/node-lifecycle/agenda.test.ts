import assert from "node:assert/strict";
import { test } from "node:test";
import { Agenda } from "./agenda.ts";

test("what is due comes in its order, once for each moment that was asked for", () => {
  const agenda = new Agenda();
  assert.equal(agenda.nextMs, undefined);
  agenda.add("n2", 200);
  agenda.add("n1", 200);
  agenda.add("n1", 200);
  agenda.add("n3", 100);
  agenda.add("n1", 300);
  assert.equal(agenda.nextMs, 100);
  assert.deepEqual(agenda.take(99), []);
  assert.deepEqual(agenda.take(200), ["n3", "n1", "n2"]);
  assert.equal(agenda.nextMs, 300);
  assert.deepEqual(agenda.take(300), ["n1"]);
  agenda.add("n1", 300);
  assert.deepEqual(agenda.take(300), ["n1"], "it may be asked for again");
});
