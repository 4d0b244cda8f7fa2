/**
 * A resolver of the outside world for tests, written without a line of ours: `upstream.ts ADDRESS [KIND]`. What it answers is in the name:
 * `nx.…` there is none, `fail.…` it cannot, `silent.…` nothing, `big.…` more than a datagram takes, else 192.0.2.1 for 30 s.
 * It writes each question on a line of stdout.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** `kind`: what it answers to every name. */
const [address = "", always] = process.argv.slice(2);

function answerTo(bytes: Buffer, isTcp: boolean): Buffer | undefined {
  let end = 12;
  const labels: string[] = [];
  for (let length = bytes[end] ?? 0; length > 0; length = bytes[end] ?? 0) {
    labels.push(bytes.subarray(end + 1, end + 1 + length).toString("latin1"));
    end += length + 1;
  }
  const question = bytes.subarray(12, end + 5);
  const kind = always ?? labels[0];
  process.stdout.write(`${isTcp ? "tcp" : "udp"} ${labels.join(".")} ${bytes.readUInt16BE(end + 1)}\n`);
  if (kind === "silent" || labels.at(-1) === "invalid") return undefined;
  const rcode = kind === "nx" ? 3 : kind === "fail" ? 2 : 0;
  const isCut = kind === "big" && !isTcp;
  const count = rcode !== 0 || isCut ? 0 : kind === "big" ? 200 : 1;
  const header = Buffer.alloc(12);
  header.writeUInt16BE(bytes.readUInt16BE(0), 0);
  header.writeUInt16BE(0x8180 | rcode | (isCut ? 0x0200 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(count, 6);
  header.writeUInt16BE(rcode === 3 ? 1 : 0, 8);
  const record = (n: number) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, (n % 250) + 1]);
  const answers = Array.from({ length: count }, (_, n) => record(n));
  return Buffer.concat([header, question, ...answers, ...(rcode === 3 ? [startOfAuthority()] : [])]);
}

/** Of the root: that there is no such name holds for 30 s. */
function startOfAuthority(): Buffer {
  const numbers = Buffer.alloc(20);
  numbers.writeUInt32BE(30, 16);
  const head = Buffer.from([0, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0]);
  return Buffer.concat([head, numbers]);
}

const udp = createSocket("udp4");
udp.on("message", (bytes, from) => {
  const answer = answerTo(bytes, false);
  if (answer) udp.send(answer, from.port, from.address);
});
udp.bind(53, address);
createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    const answer = answerTo(chunk.subarray(2), true);
    if (!answer) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(answer.length);
    socket.write(Buffer.concat([length, answer]));
  });
}).listen(53, address);
