import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkNews } from "../../model/network.ts";
import { FrameError } from "../frames/shape.ts";
import type { NetworkFrame, NetworkPartWord } from "../frames/to-agent.ts";
import { networkStream } from "./network-stream.ts";

const frame = (sequence: number, part: NetworkPartWord, size = 100): NetworkFrame => ({
  ...{ type: "network", stream: 1, sequence, part, revision: 1, removed: [], size },
  entries: [{ kind: "names", id: `of frame ${sequence}`, records: [] }],
  ...(part === "kept" ? { kept: new Set([3]) } : {}),
});

describe("one stream of what is told of the network", () => {
  const heard: NetworkNews[] = [];
  const stream = () => {
    heard.length = 0;
    return networkStream(1, (news) => void heard.push(news));
  };

  test("parts are heard as one, with the shelves that were kept", () => {
    const one = stream();
    for (const [at, part] of (["more", "more", "kept"] as const).entries()) one.frame(frame(at + 1, part));
    assert.equal(heard.length, 1);
    const [all] = heard;
    assert.ok(all?.type === "all" && all.entries.length === 3 && all.kept?.has(3));
  });

  test("a server that goes on without an end is an error, not the end of this process", () => {
    const one = stream();
    const large = 100 * 1024 * 1024;
    for (let sequence = 1; sequence <= 2; sequence++) one.frame(frame(sequence, "more", large));
    assert.throws(() => one.frame(frame(3, "more", large)), FrameError);
    assert.deepEqual(heard, []);
  });

  test("as much again after everything was heard is none", () => {
    const one = stream();
    const large = 200 * 1024 * 1024;
    for (let sequence = 1; sequence <= 3; sequence++) one.frame(frame(sequence, "all", large));
    assert.equal(heard.length, 3);
  });
});
