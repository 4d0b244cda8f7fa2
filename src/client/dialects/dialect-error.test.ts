import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { expectSuccess } from "./dialect-error.ts";

const ETCD = JSON.stringify({ error: { code: 503, message: "fleet server unable to communicate with etcd" } });

function said(text: string, warning?: string): string {
  try {
    expectSuccess({ status: 503, headers: warning === undefined ? {} : { warning }, text });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("what a refusal says:", () => {
  test("the true reason first, where the dialect's own words hide it", () => {
    assert.equal(
      said(ETCD, '299 - "the disk is full: \\"/var\\""'),
      'the disk is full: "/var" (fleet server unable to communicate with etcd)',
    );
  });

  test("the dialect's own words where there are no others, and nothing twice", () => {
    assert.equal(said(ETCD), "fleet server unable to communicate with etcd");
    assert.equal(said(JSON.stringify({ message: "no room" }), '299 - "no room"'), "no room");
  });
});
