import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DriverError } from "../driver.ts";
import { parseEngineAddress } from "./engine-address.ts";
import { readFrames, splitTimestamp } from "./frames.ts";
import { splitImageName } from "./images.ts";
import { infraImage } from "./infra-image.ts";
import { readJsonLines } from "./json-lines.ts";
import { Limiter } from "./limiter.ts";
import { PullProgress } from "./pull-progress.ts";
import { SingleFlight } from "./single-flight.ts";
import { tarOf } from "./tar.ts";

async function* inPieces(whole: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield whole.subarray(at, at + size);
    at += size;
  }
  if (at < whole.length) yield whole.subarray(at);
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

function frame(kind: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}

describe("Docker's streams", () => {
  test("frames come out as they were put in, however the bytes are cut", async () => {
    const piece = fc.record({ kind: fc.constantFrom(1, 2), data: fc.uint8Array({ maxLength: 40 }) });
    const cuts = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), cuts, async (pieces, sizes) => {
        const whole = Buffer.concat(pieces.map(({ kind, data }) => frame(kind, data)));
        const read = await collect(readFrames(inPieces(whole, sizes)));
        assert.deepEqual(
          read.map(({ stream, data }) => [stream, Buffer.from(data).toString("hex")]),
          pieces.map(({ kind, data }) => [kind === 2 ? "stderr" : "stdout", Buffer.from(data).toString("hex")]),
        );
      }),
    );
  });

  test("arbitrary bytes end or are refused, and never fill the memory", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        try {
          for await (const { data } of readFrames(inPieces(bytes, [7]))) assert.ok(data.length <= bytes.length);
        } catch (error) {
          assert.match(String(error), /is not multiplexed/);
        }
      }),
    );
  });

  test("the time before a line is taken off; a line that only looks like it is left", () => {
    const chunk = (text: string) => ({ stream: "stdout" as const, data: Buffer.from(text) });
    const { data, timeMs } = splitTimestamp(chunk("2026-11-22T03:13:40.123456789Z hello there\n"));
    assert.deepEqual([Buffer.from(data).toString(), timeMs], ["hello there\n", Date.UTC(2026, 10, 22, 3, 13, 40, 123)]);
    assert.equal(splitTimestamp(chunk("this is not a time, clearly\n")).timeMs, undefined);
  });

  test("JSON lines come out whole, cut within a character or not", async () => {
    const values = [{ a: "ü€𝄞" }, { b: 1 }, { c: [] }];
    const whole = Buffer.from(values.map((value) => JSON.stringify(value)).join("\r\n"));
    const sizes = Array.from({ length: whole.length }, () => 1);
    assert.deepEqual(await collect(readJsonLines(inPieces(whole, sizes))), values);
  });
});

describe("words of an engine", () => {
  for (const [text, origin, socketPath] of [
    ["unix:///var/run/docker.sock", "http://docker", "/var/run/docker.sock"],
    ["tcp://10.0.0.1:2375", "http://10.0.0.1:2375", undefined],
    ["tcp://host", "http://host:2375", undefined],
    ["https://host:2376", "https://host:2376", undefined],
    ["tcp://[::1]:4243", "http://[::1]:4243", undefined],
  ] as const)
    test(`${text} is understood`, () => {
      const address = parseEngineAddress(text);
      assert.deepEqual([address.origin, address.socketPath], [origin, socketPath]);
    });

  test("with certificates tcp:// is TLS, on its own port", () => {
    const { origin, tls } = parseEngineAddress("tcp://host", { verify: true, ca: "pem" });
    assert.deepEqual([origin, tls], ["https://host:2376", { verify: true, ca: "pem" }]);
  });

  for (const text of ["ssh://root@host", "/var/run/docker.sock", "unix://relative", "", "tcp://"])
    test(`"${text}" is refused with what would do`, () => {
      assert.throws(
        () => parseEngineAddress(text),
        (error) => error instanceof DriverError && /give unix:/.test(error.message),
      );
    });

  for (const [name, repository, tag] of [
    ["busybox", "busybox", "latest"],
    ["a/b:1.6", "a/b", "1.6"],
    ["host:5000/a", "host:5000/a", "latest"],
    ["host:5000/a:2", "host:5000/a", "2"],
    ["a:1@sha256:00ff", "a", "sha256:00ff"],
  ] as const)
    test(`the image ${name} is ${repository} and ${tag}`, () =>
      assert.deepEqual(splitImageName(name), { repository, tag }));

  test("a pull is told in tenths of all its layers, each once", () => {
    const progress = new PullProgress("a:1");
    const layer = (id: string, current: number) => ({
      status: "Downloading",
      id,
      progressDetail: { current, total: 2 ** 20 },
    });
    const said = [
      ...[
        { status: "Pulling from a", id: "1" },
        { status: "Pulling fs layer", id: "x" },
        layer("x", 0),
        layer("x", 2 ** 19),
      ],
      ...[
        layer("x", 2 ** 19 + 1),
        { status: "Download complete", id: "x" },
        { status: "Status: Downloaded newer image for a:1" },
      ],
    ].map((line) => progress.note(line));
    assert.deepEqual(said, [
      ...["Pulling a:1", undefined, "Pulling a:1: 0% of 1 MiB", "Pulling a:1: 50% of 1 MiB"],
      ...[undefined, "Pulling a:1: 100% of 1 MiB", "Status: Downloaded newer image for a:1"],
    ]);
  });
});

describe("work at once", () => {
  test("no more than the width runs at once, first come first", async () => {
    const limiter = new Limiter(2);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const work = (n: number) => async () => {
      most = Math.max(most, ++running);
      order.push(n);
      await new Promise(setImmediate);
      running--;
      if (n === 1) throw new Error("one fails");
    };
    await Promise.allSettled([0, 1, 2, 3, 4].map((n) => limiter.run(work(n))));
    assert.deepEqual([most, order], [2, [0, 1, 2, 3, 4]]);
  });

  test("those who ask while it runs share it; the next asks again", async () => {
    const flight = new SingleFlight<number>();
    let asked = 0;
    const ask = () => flight.run("k", async () => ++asked);
    assert.deepEqual(await Promise.all([ask(), ask()]), [1, 1]);
    assert.equal(await ask(), 2);
  });
});

describe("images made here", () => {
  test("the infra program is a small ELF for the architecture, the same every time", () => {
    for (const [architecture, machine] of [
      ["amd64", 62],
      ["arm64", 183],
    ] as const) {
      const image = infraImage(architecture);
      const program = image.layer.subarray(512);
      assert.equal(program.toString("latin1", 0, 4), "\x7fELF");
      assert.equal(program.readUInt16LE(18), machine);
      assert.ok(program.readBigUInt64LE(96) < 500n);
      assert.equal(infraImage(architecture).name, image.name);
    }
    assert.throws(() => infraImage("riscv64"), /only for amd64 and arm64/);
  });

  test("a tar archive has its entries in blocks with a checksum, and refuses names it cannot hold", () => {
    const archive = tarOf([
      { path: "a", type: "file", mode: 0o755, data: Buffer.from("hello") },
      { path: "b", type: "symlink", target: "a" },
    ]);
    assert.equal(archive.length, 512 * 5);
    assert.equal(archive.toString("latin1", 512, 517), "hello");
    const stated = Number.parseInt(archive.toString("latin1", 148, 154), 8);
    const block = Buffer.from(archive.subarray(0, 512)).fill(0x20, 148, 156);
    assert.equal(
      stated,
      block.reduce((sum, byte) => sum + byte, 0),
    );
    assert.throws(() => tarOf([{ path: "x".repeat(101), type: "file" }]), RangeError);
  });
});
